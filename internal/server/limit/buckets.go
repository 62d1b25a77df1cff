// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"time"

	"golang.org/x/time/rate"
)

// precision is how little may be missing: whoever waits as long as it was told shall not be refused for a rounding error.
const precision = 1e-6

// buckets are token buckets by key, all of one budget.
type buckets struct {
	budget Budget
	table  table[*rate.Limiter]
}

// wait gives how long it takes until the key may spend; zero: it may now. A key that has spent nothing lately is not known.
func (b *buckets) wait(key uint64, now time.Time) time.Duration {
	if b.budget.Unlimited() {
		return 0
	}
	s := b.table.lock(key)
	defer s.unlock()
	bucket, found, _ := s.load(key)
	if !found {
		return 0
	}
	return b.untilNext(bucket, now)
}

// spend takes one of the key's, where there is one left, and gives how long it takes until there is.
func (b *buckets) spend(key uint64, now time.Time) time.Duration {
	if b.budget.Unlimited() {
		return 0
	}
	s := b.table.lock(key)
	defer s.unlock()
	bucket, found, _ := s.load(key)
	if !found {
		bucket = b.budget.bucket()
	}
	wait := b.untilNext(bucket, now)
	if wait == 0 {
		bucket.ReserveN(now, 1) // and not AllowN, which is exact to the last bit of a float
	}
	s.store(key, bucket)
	return wait
}

// untilNext gives how long a bucket takes until it holds one.
func (b *buckets) untilNext(bucket *rate.Limiter, now time.Time) time.Duration {
	// A limiter counts from the latest time that it was told. Where the clock went back it would add nothing until that time
	// came again; setting its rate makes it count from now, and changes nothing else.
	bucket.SetLimitAt(now, bucket.Limit())
	missing := 1 - bucket.TokensAt(now)
	if missing < precision {
		return 0
	}
	wait := time.Duration(missing * float64(b.budget.Every))
	return max(time.Microsecond, wait.Round(time.Microsecond))
}
