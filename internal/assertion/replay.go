// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"container/heap"
	"crypto/sha256"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// What Replays remembers at most: assertions that have not expired, of one client and of all. 8192 in ten minutes are 13 requests a
// second without end; who needs more signs for a shorter time. All of them take 40 MiB.
const (
	maxRemembered           = 8192
	maxRememberedAltogether = 32 * maxRemembered
)

var (
	// ErrReplayed: the client has used the jti before.
	ErrReplayed = errors.New("the assertion was used before")
	// ErrTooMany: no more can be remembered until some have expired.
	ErrTooMany = errors.New("too many assertions that have not expired")
)

// shards keep clients from waiting for each other. A client is in one of them, so that its number of assertions is known there.
const shards = 64

// Replays remembers which assertions were used, until they expire anyway (RFC 7523 section 3, number 7). Nothing that it remembers
// is ever forgotten early: where there is no room it takes no more, so that nobody makes room for a replay. The zero value is
// ready for use. It is safe for concurrent use, and knows of this process only.
type Replays struct {
	shards [shards]replayShard
	total  atomic.Int64
}

type replayShard struct {
	mutex   sync.Mutex
	clients map[string]*used
	// swept is when what other clients had used was last looked through.
	swept time.Time
}

// betweenSweeps keeps one client's request from looking through the assertions of all others. As long as that, what has expired
// may stay in memory.
const betweenSweeps = time.Minute

// used are the assertions of one client, by the time that they expire.
type used struct {
	ids   map[[16]byte]struct{}
	queue expiries
}

type expiry struct {
	at time.Time
	id [16]byte
}

// seed makes the spread over shards one that no client can choose.
var seed = maphash.MakeSeed()

// Use notes that a client uses an assertion. It fails with ErrReplayed or ErrTooMany, and remembers nothing then.
func (r *Replays) Use(client string, proof Proof, now time.Time) error {
	sum := sha256.Sum256([]byte(proof.ID))
	id := [16]byte(sum[:])
	if r.total.Load() >= maxRememberedAltogether {
		r.sweep(now)
	}
	shard := &r.shards[maphash.String(seed, client)%shards]
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	if since := now.Sub(shard.swept); since < 0 || since >= betweenSweeps {
		r.forget(shard, now)
	}
	mine := shard.clients[client]
	if mine == nil {
		mine = &used{ids: map[[16]byte]struct{}{}}
	}
	r.expire(mine, now)
	if _, replayed := mine.ids[id]; replayed {
		return ErrReplayed
	}
	if len(mine.ids) >= maxRemembered || r.total.Load() >= maxRememberedAltogether {
		return ErrTooMany
	}
	if shard.clients == nil {
		shard.clients = map[string]*used{}
	}
	shard.clients[client] = mine
	mine.ids[id] = struct{}{}
	heap.Push(&mine.queue, expiry{at: proof.ExpiresAt, id: id})
	r.total.Add(1)
	return nil
}

// sweep forgets in all shards, also those whose clients have not come for a while.
func (r *Replays) sweep(now time.Time) {
	for i := range r.shards {
		shard := &r.shards[i]
		shard.mutex.Lock()
		r.forget(shard, now)
		shard.mutex.Unlock()
	}
}

// forget drops what has expired of all clients of a shard, and those of which nothing is left.
func (r *Replays) forget(shard *replayShard, now time.Time) {
	for client, theirs := range shard.clients {
		if r.expire(theirs, now); len(theirs.queue) == 0 {
			delete(shard.clients, client)
		}
	}
	shard.swept = now
}

// expire drops what has expired of one client.
func (r *Replays) expire(theirs *used, now time.Time) {
	for len(theirs.queue) > 0 && !now.Before(theirs.queue[0].at) {
		delete(theirs.ids, heap.Pop(&theirs.queue).(expiry).id)
		r.total.Add(-1)
	}
}

// expiries is a heap, the earliest first.
type expiries []expiry

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiry)) }
func (e *expiries) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}
