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
	now       time.Time
	// owed says until when each secret must work that was ever published and verified at once.
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
		Pepper: pepper, Published: c.published, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// allWrites is more than any reconciliation makes.
const allWrites = 3

// reconcile plans, carries the plan out, and dies after so many writes: the Secret and the status or, where clients may hold
// a secret already, the status, the Secret and the status. In that case what is published must work at once.
func (c *cluster) reconcile(t *testing.T, random io.Reader, pepper credential.Pepper, writes int) {
	t.Helper()
	plan := c.observe(t, random, pepper)
	publish := func() {
		c.published = plan.Secret.Reveal()
		if c.verifiers.KnowsPepper(pepper) && !c.verify(pepper, c.published, c.now) {
			t.Fatalf("%s: the manager published a secret that does not work", strings.Join(c.story, ", "))
		}
	}
	// The status passes through the API, as it would.
	verify := func() { c.verifiers = credential.ReadVerifiers(plan.Verifiers.Write()) }
	note := func() { c.verifiers = credential.ReadVerifiers(plan.Verifiers.Published(c.now).Write()) }
	steps := []func(){publish, note}
	if plan.Replaces {
		steps = []func(){verify, publish, note}
	}
	for _, step := range steps[:min(writes, len(steps))] {
		step()
	}
}

// disturb puts something else into the Secret. What was there and worked is owed the overlap.
func (c *cluster) disturb(pepper credential.Pepper, published string) {
	if c.published != "" && c.published != published && c.verify(pepper, c.published, c.now) {
		until := c.now.Add(overlap - time.Second) // the API stores whole seconds
		if end := expiryOf(c.verifiers, pepper, c.published); !end.IsZero() {
			until = end // it had been replaced before, and was put back by hand
		}
		c.owed[c.published] = later(c.owed[c.published], until)
	}
	c.published = published
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func expiryOf(verifiers credential.Verifiers, pepper credential.Pepper, secret string) time.Time {
	digest := pepper.Digest("uid", "acme.orders", oauth.NewClientSecret(secret))
	for _, verifier := range verifiers {
		if verifier.Digest == digest {
			return verifier.ExpiresAt
		}
	}
	return time.Time{}
}

// check holds the cluster to what must be true at every moment, dead or alive.
func (c *cluster) check(t *testing.T, pepper credential.Pepper) {
	t.Helper()
	for secret, until := range c.owed {
		if c.now.Before(until) && !c.verify(pepper, secret, until.Add(-1)) {
			t.Fatalf("%s: a secret that was in use does not work until %v", strings.Join(c.story, ", "), until)
		}
	}
}

// checkComplete holds it to what must be true after a reconciliation that did not die.
func (c *cluster) checkComplete(t *testing.T, pepper credential.Pepper) {
	t.Helper()
	if !credential.IsGeneratedSecret(c.published) || !c.verify(pepper, c.published, c.now.Add(100*365*24*time.Hour)) {
		t.Fatalf("%s: the published secret is not the current one", strings.Join(c.story, ", "))
	}
	plan := c.observe(t, brokenRandomness(), pepper)
	if plan.Secret.Reveal() != c.published || plan.Replaces || !slices.Equal(plan.Verifiers.Published(c.now), c.verifiers) {
		t.Fatalf("%s: reconciling once more changes something", strings.Join(c.story, ", "))
	}
}

// TestCrashes tries every sequence of four rounds. In each, somebody deletes the Secret, edits it, puts a former secret
// back or does nothing, and the manager dies before its first write, after the first or the second, or not at all. Whatever happens,
// a secret that was in use works until its overlap ends, and a reconciliation that ends leaves a current one.
//
// Four rounds stay below the bound on verifiers: eight replacements within one overlap do evict the oldest.
func TestCrashes(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	first := cluster{now: noon, owed: map[string]time.Time{}}
	ends := 0
	var explore func(before cluster, rounds int)
	explore = func(before cluster, rounds int) {
		if rounds == 0 {
			ends++
			return
		}
		for _, disturbance := range disturbances(before) {
			for writes, death := range []string{"dies before writing", "dies after one write", "dies after two", "completes"} {
				c := before.clone()
				c.story = append(c.story, disturbance.name, death)
				c.disturb(pepper, disturbance.published)
				c.reconcile(t, random, pepper, writes)
				c.check(t, pepper)
				if writes == allWrites {
					c.checkComplete(t, pepper)
				}
				c.now = c.now.Add(9*time.Hour + 7*time.Millisecond)
				c.check(t, pepper)
				explore(c, rounds-1)
			}
		}
	}
	explore(first, 4)
	if least := 12 * 12 * 12 * 12; ends < least {
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

// TestASecretThatCannotBeWritten: a quota or a policy refuses the Secret, and every attempt prepares another successor. None
// of them may push out the secret that workloads hold.
func TestASecretThatCannotBeWritten(t *testing.T) {
	pepper, random := newPepper(t, 1), randomness(3)
	c := cluster{now: noon, owed: map[string]time.Time{}}
	c.reconcile(t, random, pepper, allWrites)
	c.disturb(pepper, "")
	for range 100 {
		c.reconcile(t, random, pepper, 1)
		c.now = c.now.Add(time.Minute)
		c.check(t, pepper)
	}
	c.reconcile(t, random, pepper, allWrites)
	c.check(t, pepper)
	c.checkComplete(t, pepper)
}
