// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// cluster is what survives a crash of the manager: one credential's Secret and status. It is a model of how the
// controller carries out a plan: what Replaces says comes first.
type cluster struct {
	published string
	verifiers credential.Verifiers
	prepared  oauth.ClientSecret // in the manager's memory: lost when it dies
	now       time.Time
	// inUse is the secret that workloads hold: the last that the manager published and that worked. It must work without
	// end until another is published.
	inUse string
	// owed says until when each secret must work that was in use before.
	owed  map[string]time.Time
	story []string
}

func (c cluster) clone() cluster {
	c.verifiers, c.owed, c.story = slices.Clone(c.verifiers), maps.Clone(c.owed), slices.Clone(c.story)
	return c
}

func (c *cluster) verify(pepper credential.Pepper, secret string, at time.Time) bool {
	client := &credential.Client{UID: "uid", ID: "acme.orders", Verifiers: c.verifiers}
	return client.Verify(pepper, oauth.NewClientSecret(secret), at)
}

// observe plans.
func (c *cluster) observe(t *testing.T, random io.Reader, pepper credential.Pepper) credential.Plan {
	t.Helper()
	plan, err := credential.MakePlan(random, credential.Observed{
		Client: &credential.Client{UID: "uid", ID: "acme.orders", Verifiers: c.verifiers},
		Pepper: pepper, Published: c.published, Prepared: c.prepared, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// century is for ever.
const century = 100 * 365 * 24 * time.Hour

// allWrites is more than any reconciliation makes.
const allWrites = 3

// reconcile plans, carries the plan out, and dies after so many writes: the Secret and the status or, where clients may hold
// a secret already, the status, the Secret and the status. In that case what is published must work at once.
func (c *cluster) reconcile(t *testing.T, random io.Reader, pepper credential.Pepper, writes int) {
	t.Helper()
	plan := c.observe(t, random, pepper)
	publish := func() {
		if c.published == plan.Secret.Reveal() {
			return // nothing to write
		}
		c.published = plan.Secret.Reveal()
		if c.verifiers.KnowsPepper(pepper) && !c.verify(pepper, c.published, c.now) {
			t.Fatalf("%s: the manager published a secret that does not work", strings.Join(c.story, ", "))
		}
		c.takenUp(pepper)
	}
	// The status passes through the API, as it would.
	stage := func() { c.verifiers = credential.ReadVerifiers(plan.Staged.Write()); c.prepared = plan.Secret }
	note := func() { c.verifiers = credential.ReadVerifiers(plan.Published.Write()); c.takenUp(pepper) }
	steps := []func(){publish, note}
	if plan.Replaces() {
		steps = []func(){stage, publish, note}
	}
	for _, step := range steps[:min(writes, len(steps))] {
		step()
	}
}

// takenUp: workloads take up what the manager has published and what works; what they held before is owed the overlap.
func (c *cluster) takenUp(pepper credential.Pepper) {
	if c.published == c.inUse || !c.verify(pepper, c.published, c.now) {
		return
	}
	if c.inUse != "" {
		c.owed[c.inUse] = later(c.owed[c.inUse], c.now.Add(overlap-time.Second)) // the API stores whole seconds
	}
	c.inUse = c.published
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// check holds the cluster to what must be true at every moment, dead or alive.
func (c *cluster) check(t *testing.T, pepper credential.Pepper) {
	t.Helper()
	if c.inUse != "" && !c.verify(pepper, c.inUse, c.now.Add(century)) {
		t.Fatalf("%s: the secret that workloads hold does not work, and there is no other", strings.Join(c.story, ", "))
	}
	for secret, until := range c.owed {
		if c.now.Before(until) && !c.verify(pepper, secret, until.Add(-1)) {
			t.Fatalf("%s: a secret that was in use does not work until %v", strings.Join(c.story, ", "), until)
		}
	}
}

// checkComplete holds it to what must be true after a reconciliation that did not die.
func (c *cluster) checkComplete(t *testing.T, pepper credential.Pepper) {
	t.Helper()
	if !credential.IsGeneratedSecret(c.published) || !c.verify(pepper, c.published, c.now.Add(century)) {
		t.Fatalf("%s: the published secret is not the current one", strings.Join(c.story, ", "))
	}
	plan := c.observe(t, brokenRandomness(), pepper)
	if plan.Secret.Reveal() != c.published || plan.Replaces() || !slices.Equal(plan.Published, c.verifiers) {
		t.Fatalf("%s: reconciling once more changes something", strings.Join(c.story, ", "))
	}
}

// TestCrashes tries every sequence of four rounds. In each, somebody deletes the Secret, edits it, puts a former secret
// back or does nothing, and the manager dies before its first write, after the first or the second, or not at all. Whatever
// happens, the secret in use works until another is published and for the overlap after, and a reconciliation that ends
// leaves a current one.
//
// Four rounds stay below the bound on verifiers: eight replacements within one overlap do evict the oldest.
func TestCrashes(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	first := cluster{now: noon, owed: map[string]time.Time{}}
	ends := 0
	var explore func(before cluster, rounds int, pause time.Duration)
	explore = func(before cluster, rounds int, pause time.Duration) {
		if rounds == 0 {
			ends++
			return
		}
		for _, disturbance := range disturbances(before) {
			for writes, death := range []string{"dies before writing", "dies after one write", "dies after two", "completes"} {
				c := before.clone()
				c.story = append(c.story, disturbance.name, death)
				c.published, c.prepared = disturbance.published, oauth.ClientSecret{}
				c.reconcile(t, random, pepper, writes)
				c.check(t, pepper)
				if writes == allWrites {
					c.checkComplete(t, pepper)
				}
				c.now = c.now.Add(pause)
				c.check(t, pepper)
				explore(c, rounds-1, pause)
			}
		}
	}
	// Within one overlap, and with the manager away for longer than one after each death.
	explore(first, 4, 9*time.Hour+7*time.Millisecond)
	explore(first, 4, 25*time.Hour+7*time.Millisecond)
	if least := 2 * 12 * 12 * 12 * 12; ends < least {
		t.Errorf("%d sequences were tried; three disturbances and four deaths make at least %d", ends, least)
	}
}

// disturbance is what becomes of a Secret between two reconciliations.
type disturbance struct{ name, published string }

func disturbances(c cluster) []disturbance {
	all := []disturbance{
		{"nothing happens", c.published},
		{"the Secret is deleted", ""},
		{"the Secret is edited", "hunter2"},
	}
	if c.inUse != "" && c.inUse != c.published {
		all = append(all, disturbance{"the secret in use is put back", c.inUse})
	}
	for _, former := range slices.Sorted(maps.Keys(c.owed)) {
		all = append(all, disturbance{"a former secret is put back", former})
	}
	return all
}

// TestStatusIsRebuilt: the status can be wiped at any time without the published secret ceasing to work for longer than
// the next reconciliation takes.
func TestStatusIsRebuilt(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	c := cluster{now: noon, owed: map[string]time.Time{}}
	c.reconcile(t, random, pepper, allWrites)
	before := c.published
	c.verifiers = nil
	for writes := range allWrites + 1 {
		c.reconcile(t, brokenRandomness(), pepper, writes)
		if c.published != before {
			t.Fatalf("after %d writes the secret is another one", writes)
		}
	}
	c.checkComplete(t, pepper)
}

// TestPepperIsReplaced: a new pepper digests the published secret anew and leaves it in place.
func TestPepperIsReplaced(t *testing.T) {
	old, pepper, random := newPepper(t, 1), newPepper(t, 2), randomness(3)
	c := cluster{now: noon, owed: map[string]time.Time{}}
	c.reconcile(t, random, old, allWrites)
	before := c.published
	for writes := range allWrites + 1 {
		c.reconcile(t, brokenRandomness(), pepper, writes)
		if c.published != before {
			t.Fatalf("after %d writes the secret is another one", writes)
		}
	}
	c.checkComplete(t, pepper)
	if c.verify(old, before, c.now) {
		t.Error("the old pepper still verifies")
	}
}

// TestASecretThatCannotBeWritten: a quota or a policy refuses the Secret for days. Attempts of one manager prepare one
// successor, those of managers that come and go one each. None may push out, or end, the secret that workloads hold.
func TestASecretThatCannotBeWritten(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	c := cluster{now: noon, owed: map[string]time.Time{}}
	c.reconcile(t, random, pepper, allWrites)
	c.published = ""
	for attempt := range 100 {
		c.reconcile(t, random, pepper, 1)
		if prepared := len(c.verifiers) - 1; attempt < 50 && prepared != 1 {
			t.Fatalf("%d successors after %d attempts", prepared, attempt+1)
		}
		if attempt >= 50 {
			c.prepared = oauth.ClientSecret{} // another manager
		}
		c.now = c.now.Add(time.Hour)
		c.check(t, pepper)
	}
	c.reconcile(t, random, pepper, allWrites)
	c.check(t, pepper)
	c.checkComplete(t, pepper)
}
