// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// TestStatusIsRebuilt: the status can be wiped at any time without the published secret ceasing to work for longer than
// the next reconciliation takes.
func TestStatusIsRebuilt(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	c := settled(t, random, pepper)
	before := c.published()
	c.wipe()
	for writes := range allWrites + 1 {
		c.reconcile(t, brokenRandomness(), pepper, writes)
		if c.published() != before {
			t.Fatalf("after %d writes the secret is another one", writes)
		}
	}
	c.checkComplete(t, pepper)
}

// TestPepperIsReplaced: a new pepper digests the published secret anew and leaves it in place.
func TestPepperIsReplaced(t *testing.T) {
	old, pepper, random := newPepper(t, 1), newPepper(t, 2), randomness(3)
	c := settled(t, random, old)
	before := c.published()
	for writes := range allWrites + 1 {
		c.reconcile(t, brokenRandomness(), pepper, writes)
		if c.published() != before {
			t.Fatalf("after %d writes the secret is another one", writes)
		}
	}
	c.checkComplete(t, pepper)
	if c.verify(old, before, c.now) {
		t.Error("the old pepper still verifies")
	}
}

// TestASecretThatCannotBeWritten: a quota or a policy refuses the Secret for days, whether it was deleted or a rotation is due.
// Attempts of one manager prepare one successor and write the status once; those of managers that come and go prepare one each.
// None may push out, or end, the secret that workloads hold.
func TestASecretThatCannotBeWritten(t *testing.T) {
	for name, happen := range map[string]func(*cluster){
		"the Secret is deleted": func(c *cluster) { c.secrets[c.name] = stored{} },
		"a rotation is due":     func(c *cluster) { c.rotation.Trigger = "q4" },
		"the record is gone too": func(c *cluster) {
			c.rotation.Trigger, c.secrets[c.name].made = "q4", nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			pepper, random := newPepper(t, 1), randomness(3)
			c := settled(t, random, pepper)
			happen(&c)
			var staged credential.Verifiers
			for attempt := range 100 {
				c.stopsAtTheSecret(t, random, pepper)
				if prepared := len(c.verifiers) - 1; attempt < 50 && prepared != 1 {
					t.Fatalf("%d successors after %d attempts", prepared, attempt+1)
				}
				if attempt > 0 && attempt < 50 && !slices.Equal(staged, c.verifiers) {
					t.Fatalf("attempt %d changes the status", attempt+1)
				}
				staged = c.verifiers
				if attempt >= 50 {
					c.prepared = oauth.Secret{} // another manager
				}
				c.now = c.now.Add(time.Hour)
				c.check(t, pepper)
			}
			if !c.complete(t, pepper, func() bool { return c.reconcile(t, random, pepper, allWrites) }) {
				t.Fatal("it does not come to its end")
			}
			c.check(t, pepper)
		})
	}
}

// TestEachChangeRotatesOnce: the manager dies three times, after any number of writes each time. In the end there is exactly one
// new secret, and nothing is left to be done.
func TestEachChangeRotatesOnce(t *testing.T) {
	for name, change := range map[string]func(*cluster){
		"another trigger":     func(c *cluster) { c.rotation.Trigger = "q4" },
		"another annotation":  func(c *cluster) { c.rotation.Request = "now" },
		"both of them":        func(c *cluster) { c.rotation.Trigger, c.rotation.Request = "q4", "now" },
		"the interval":        func(c *cluster) { c.advance(c.rotation.Interval) },
		"a trigger, renamed":  func(c *cluster) { c.rotation.Trigger, c.name = "q4", 1-c.name },
		"a trigger, no delay": func(c *cluster) { c.rotation.Trigger, c.rotation.Overlap = "q4", 0 },
		"a wiped status too":  func(c *cluster) { c.rotation.Trigger = "q4"; c.wipe() },
	} {
		t.Run(name, func(t *testing.T) {
			pepper, random := newPepper(t, 1), randomness(3)
			first := settled(t, random, pepper)
			change(&first)
			const deaths = allWrites * allWrites * allWrites
			for death := range deaths {
				c := first.clone()
				c.story = []string{strconv.Itoa(death)}
				for _, writes := range []int{death % allWrites, death / allWrites % allWrites, death / allWrites / allWrites} {
					c.reconcile(t, random, pepper, writes)
					c.check(t, pepper)
					c.prepared = oauth.Secret{}
					c.advance(time.Minute)
				}
				c.reconcile(t, random, pepper, allWrites)
				c.checkComplete(t, pepper)
				if made := len(c.records) - len(first.records); made != 1 {
					t.Fatalf("%d new secrets after deaths %d", made, death)
				}
			}
		})
	}
}

// TestAClockThatWasAhead: while it was, the interval passed. When it is right again nothing is replaced twice, the next rotation
// is one interval away and not forgotten, and the secret before ends with one overlap.
func TestAClockThatWasAhead(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	c := settled(t, random, pepper)
	reconcile := func() string {
		if !c.complete(t, pepper, func() bool { return c.reconcile(t, random, pepper, allWrites) }) {
			t.Fatal("it does not come to its end")
		}
		c.check(t, pepper)
		return c.published()
	}
	first := c.published()
	c.jump()
	second := reconcile()
	if second == first {
		t.Fatal("the interval has passed, and nothing was replaced")
	}
	c.jump()
	if reconcile() != second {
		t.Fatal("the secret was replaced again when the clock went back")
	}
	if next := c.known.NextRotationTime.Time; !next.Equal(noon.Add(c.rotation.Interval)) {
		t.Errorf("the next rotation is at %v", next)
	}
	if !c.verify(pepper, first, noon.Add(overlap-1)) || c.verify(pepper, first, noon.Add(overlap)) {
		t.Error("the secret before does not end with one overlap")
	}
	c.advance(c.rotation.Interval - 1)
	if reconcile() != second {
		t.Error("the secret was replaced before its interval had passed")
	}
	c.advance(1)
	if reconcile() == second {
		t.Error("the next rotation was forgotten")
	}
}
