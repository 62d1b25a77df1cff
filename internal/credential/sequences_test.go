// SPDX-License-Identifier: Apache-2.0

// The search knows no second goroutine, and the race detector makes minutes of its seconds.
//go:build !race

package credential_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// TestSequences tries long sequences at random of what TestCrashesOfRotations tries short ones of. Beyond that, time passes or
// does not between two rounds, and a manager that could not write may live on, and try again.
//
// Fourteen rounds stay below the bound on verifiers.
func TestSequences(t *testing.T) {
	const sequences, rounds = 3000, 14
	pepper, secrets := newPepper(t, 1), randomness(3)
	first := settled(t, secrets, pepper)
	for seed := range uint64(sequences) {
		random := rand.New(rand.NewPCG(seed, seed))
		c := first.clone()
		c.story = append(c.story, fmt.Sprintf("seed %d", seed))
		for range rounds {
			all := toAll(&c)
			happens, writes := all[random.IntN(len(all))], random.IntN(allWrites)
			c.story = append(c.story, happens.name, fmt.Sprintf("stops after %d", writes))
			if random.IntN(2) == 0 {
				c.prepared = oauth.Secret{} // it dies
			}
			happens.happen(&c)
			c.complete(t, pepper, func() bool { return c.reconcile(t, secrets, pepper, writes) })
			c.check(t, pepper)
			c.advance([]time.Duration{0, time.Second, 9*time.Hour + 7*time.Millisecond, 25*time.Hour + 7*time.Millisecond}[random.IntN(4)])
			c.check(t, pepper)
		}
		c.story = append(c.story, "all is left alone")
		if !c.complete(t, pepper, func() bool { return c.reconcile(t, secrets, pepper, allWrites) }) {
			c.fatal(t, "a reconciliation that nobody stops does not come to its end")
		}
	}
	first.tally.check(t)
}
