// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

// century is for ever.
const century = 100 * 365 * 24 * time.Hour

// check holds the cluster to what must be true at every moment, dead or alive.
func (c *cluster) check(t *testing.T, pepper credential.Pepper) {
	if c.inUse != "" && !c.verify(pepper, c.inUse, c.now.Add(century)) {
		c.fatal(t, "the secret that workloads hold does not work, and there is no other")
	}
	for secret, until := range c.owed {
		if c.now.Before(until) && !c.verify(pepper, secret, until.Add(-1)) {
			c.fatal(t, "a secret that was in use does not work until "+until.String())
		}
	}
}

// origin is what can still be known of a secret that was found: what it was truly made for, and when it says it was made.
type origin struct {
	made credential.Record
	// lost is true where nothing tells any more: somebody took the record away from the Secret before the status said the same,
	// or did so and the Secret of the former name says another thing than what took its place.
	lost bool
}

// originOf gives the origin of a secret, and false for one that is new.
func (c *cluster) originOf(secret string) (origin, bool) {
	made, published := c.records[secret]
	holders := slices.DeleteFunc(c.found(), func(found stored) bool { return found.secret != secret })
	if len(holders) == 0 {
		return origin{}, false
	}
	first := holders[0].made
	if first == nil {
		return origin{made: made, lost: c.known == nil || c.told != secret || !c.known.LastRotationTime.Time.Equal(made.IssuedAt)}, published
	}
	// Of two Secrets one may have a time of a clock that was ahead, where the other has been corrected.
	made.IssuedAt = first.IssuedAt
	return origin{made: made, lost: first.Trigger != made.Trigger || first.Request != made.Request}, published
}

// checkRecord: the record of a new secret says what is asked for now. That of another stays what it was, unless it is lost, or
// a clock that was ahead has written it.
func (c *cluster) checkRecord(t *testing.T, made credential.Record, before origin, found bool) {
	now := credential.Record{IssuedAt: c.now.Truncate(time.Second), Trigger: c.rotation.Trigger, Request: c.rotation.Request}
	corrected := before.made.IssuedAt.After(c.now) && made.IssuedAt.Equal(now.IssuedAt)
	switch {
	case !found && made != now:
		c.fatal(t, "the record of a new secret is not what it was made for")
	case !found || before.lost:
	case made.Trigger != before.made.Trigger || made.Request != before.made.Request:
		c.fatal(t, "the record of a secret says another thing than it was made for")
	case !made.IssuedAt.Equal(before.made.IssuedAt) && !corrected:
		c.fatal(t, "the record of a secret says another time than it was made at")
	}
}

// holding gives the Secret whose secret is the current one, if there is any: of those that work, the one that was taken up
// last; where none does because nothing is known of this object's secrets, the first that was generated.
func (c *cluster) holding(pepper credential.Pepper) (stored, bool) {
	best, chosen := -1, stored{}
	for _, found := range c.found() {
		for i := len(c.order) - 1; i > best; i-- {
			if c.order[i] == found.secret && c.verify(pepper, found.secret, c.now) {
				best, chosen = i, found
			}
		}
	}
	if best >= 0 {
		return chosen, true
	}
	for _, found := range c.found() {
		if (len(c.verifiers) == 0 || found.owner != c.uid) && credential.IsGeneratedSecret(found.secret) {
			return found, true
		}
	}
	return stored{}, false
}

// contested reports whether Secrets hold different secrets, and the status cannot tell which was published last: it never
// heard of one of them, because the manager died, and since then another was prepared, or put back.
func (c *cluster) contested(pepper credential.Pepper, last string) bool {
	found := c.found()
	if len(found) < 2 || found[0].secret == found[1].secret {
		return false
	}
	marks := sealer{pepper: pepper, uid: c.uid}
	return slices.ContainsFunc(found, func(secret stored) bool {
		digest := marks.prepared(secret.secret).Digest
		rank := slices.IndexFunc(c.verifiers, func(v credential.Verifier) bool { return v.Digest == digest })
		return rank >= 0 && c.verifiers[rank].PublishedAt.IsZero() && (rank > 0 || secret.secret != last)
	})
}

// expected says what a reconciliation that comes to its end has to make of it: which secret stays, or none where there must be
// a new one. It is not sure where two secrets are contested, or all that told what one was made for was taken away.
func (c *cluster) expected(pepper credential.Pepper) (stays string, sure bool) {
	found, ok := c.holding(pepper)
	if !ok {
		return "", true
	}
	if c.contested(pepper, found.secret) {
		return "", false
	}
	from, _ := c.originOf(found.secret)
	if from.lost {
		return found.secret, len(c.verifiers) == 0 && found.made == nil // then it counts as made now
	}
	made := from.made
	triggered := c.rotation.Trigger != "" && c.rotation.Trigger != made.Trigger
	requested := c.rotation.Request != "" && c.rotation.Request != made.Request
	// One whose time has yet to come was made by a clock that was ahead: it counts as made now.
	passed := c.rotation.Interval > 0 && c.now.Sub(made.IssuedAt) >= c.rotation.Interval
	if triggered || requested || passed {
		return "", true
	}
	return found.secret, true
}

// complete lets a reconciliation come to its end, and holds it to what is expected of it: there is one new secret if there is
// reason for one, else none.
func (c *cluster) complete(t *testing.T, pepper credential.Pepper, reconcile func() bool) bool {
	stays, sure := c.expected(pepper)
	before := c.clone()
	if !reconcile() {
		return false
	}
	c.tally.count(stays, sure)
	_, seen := before.records[c.published()]
	switch {
	case !sure:
	case stays == "" && seen:
		c.fatal(t, "there is no new secret, though there is reason for one")
	case stays != "" && stays != c.published():
		c.fatal(t, "the secret is another one, and there is no reason for that")
	}
	c.checkComplete(t, pepper)
	return true
}

// tally counts what was expected of reconciliations that came to their end.
type tally struct{ stayed, replaced, unsure int }

func (a *tally) count(stays string, sure bool) {
	switch {
	case !sure:
		a.unsure++
	case stays == "":
		a.replaced++
	default:
		a.stayed++
	}
}

// check fails where what was tried says little.
func (a *tally) check(t *testing.T) {
	if a.stayed < 1000 || a.replaced < 1000 || a.unsure > (a.stayed+a.replaced)/20 {
		t.Errorf("secrets stayed %d times, were replaced %d times, and %d times nothing was sure", a.stayed, a.replaced, a.unsure)
	}
}

// checkComplete holds it to what must be true after a reconciliation that did not die.
func (c *cluster) checkComplete(t *testing.T, pepper credential.Pepper) {
	if !credential.IsGeneratedSecret(c.published()) || !c.verify(pepper, c.published(), c.now.Add(century)) {
		c.fatal(t, "the published secret is not the current one")
	}
	last := c.now.Add(c.rotation.Overlap)
	for _, verifier := range c.verifiers[1:] {
		if verifier.ExpiresAt.IsZero() || verifier.ExpiresAt.After(last) {
			c.fatal(t, "a secret that was replaced outlives the overlap")
		}
	}
	if former := c.secrets[1-c.name]; former.owner == c.uid && (former.removeAfter.IsZero() || former.removeAfter.After(last)) {
		c.fatal(t, "the Secret of a former name outlives the overlap")
	}
	if next := c.known.NextRotationTime; c.rotation.Interval > 0 && next.After(c.now.Add(c.rotation.Interval)) {
		c.fatal(t, "the next rotation is more than one interval away")
	}
	plan := c.observe(t, brokenRandomness(), pepper)
	wanted := stored{exists: true, secret: plan.Secret.Reveal(), made: &plan.Made, owner: c.uid}
	if plan.Replaces() || plan.Cause != "" || !c.secrets[c.name].equal(wanted) || c.mustRetire() ||
		!slices.Equal(plan.Published, c.verifiers) || !sameStatus(c.known, c.rotation.Status(plan.Made)) {
		c.fatal(t, "reconciling once more changes something")
	}
}
