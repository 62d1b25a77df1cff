// SPDX-License-Identifier: Apache-2.0

package discovery

import "time"

const (
	// every is how often an issuer is asked that has answered. Endpoints hardly ever change.
	every = 24 * time.Hour
	// leastBackoff and mostBackoff bound the time between two questions to one that has not.
	leastBackoff = time.Minute
	mostBackoff  = time.Hour
)

// After gives how long to leave an issuer alone that has failed so many times in a row. spread is from 0 to 1, always the same for one
// issuer, so that not all are asked at once.
func After(failures int, spread float64) time.Duration {
	wait := every
	if failures > 0 {
		wait = mostBackoff
		if failures < 8 {
			wait = min(leastBackoff<<(failures-1), mostBackoff)
		}
	}
	return wait - time.Duration(float64(wait)*spread/10)
}
