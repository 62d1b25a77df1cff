// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// explorer tries every sequence of so many rounds: in each there is one disturbance, and the manager dies before any one of
// its writes, or not at all.
type explorer struct {
	pepper       credential.Pepper
	random       io.Reader
	disturbances func(*cluster) []disturbance
	pause        time.Duration // between two rounds
	ends         int
}

func (e *explorer) explore(t *testing.T, before cluster, rounds int) {
	if rounds == 0 {
		e.ends++
		return
	}
	for _, disturbance := range e.disturbances(&before) {
		for writes, completes := 0, false; !completes; writes++ {
			c := before.clone()
			c.story = append(c.story, disturbance.name, "dies after "+strconv.Itoa(writes))
			c.prepared = oauth.Secret{} // the manager that prepared it has died
			disturbance.happen(&c)
			completes = c.complete(t, e.pepper, func() bool { return c.reconcile(t, e.random, e.pepper, writes) })
			c.check(t, e.pepper)
			c.advance(e.pause)
			c.check(t, e.pepper)
			e.explore(t, c, rounds-1)
		}
	}
}

// absences are how long it takes until there is a manager again: less than one overlap, and more.
var absences = map[string]time.Duration{
	"within one overlap": 9*time.Hour + 7*time.Millisecond,
	"after the overlap":  25*time.Hour + 7*time.Millisecond,
}

// TestCrashes tries every sequence of four rounds. In each, somebody deletes the Secret, edits it, puts a former secret
// back or does nothing, and the manager dies before any one of the writes that it has to make, or not at all. Whatever
// happens, the secret in use works until another is published and for the overlap after, and a reconciliation that ends
// leaves a current one.
//
// Four rounds stay below the bound on verifiers: sixteen replacements within one overlap do evict the oldest.
func TestCrashes(t *testing.T) {
	for name, pause := range absences {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := explorer{pepper: newPepper(t, 1), random: randomness(3), disturbances: toSecrets, pause: pause}
			e.explore(t, newCluster(), 4)
			if least := 8000; e.ends < least {
				t.Errorf("%d sequences were tried; these disturbances and deaths make at least %d", e.ends, least)
			}
		})
	}
}

// TestCrashesOfRotations tries every sequence of three rounds of all that can happen to a credential that exists: what
// TestCrashes does, rotations by trigger, annotation and interval, another name, another overlap, a clock that jumps 30 days
// ahead and back, a status that is wiped, a record that is taken away, an object that is made anew. In addition, a
// reconciliation that ends leaves one new secret where there was reason for one, and else none.
func TestCrashesOfRotations(t *testing.T) {
	for name, pause := range absences {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := explorer{pepper: newPepper(t, 1), random: randomness(3), disturbances: toAll, pause: pause}
			first := settled(t, e.random, e.pepper)
			e.explore(t, first, 3)
			if least := 70000; e.ends < least {
				t.Errorf("%d sequences were tried; these disturbances and deaths make at least %d", e.ends, least)
			}
			first.tally.check(t)
		})
	}
}

// settled is a cluster whose first reconciliation has come to its end, with a rotation by the clock.
func settled(t *testing.T, random io.Reader, pepper credential.Pepper) cluster {
	c := newCluster()
	c.rotation = credential.Rotation{Interval: 20 * 24 * time.Hour, Overlap: overlap, Trigger: "q3"}
	if !c.complete(t, pepper, func() bool { return c.reconcile(t, random, pepper, allWrites) }) {
		t.Fatal("the first reconciliation makes more writes than any")
	}
	return c
}
