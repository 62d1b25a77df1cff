// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// stored is a Secret of the model.
type stored struct {
	exists bool
	secret string
	// made is the record on it; nil where somebody has taken it away.
	made *credential.Record
	// owner is the UID of the object that it belongs to.
	owner types.UID
	// removeAfter is when it goes, once the Secret has another name; zero before.
	removeAfter time.Time
}

// cluster is what survives a crash of the manager: one credential with its Secrets and its status. It is a model of how the
// controller carries out a plan: what Replaces says comes first, and the record is written together with the secret.
type cluster struct {
	uid      types.UID
	rotation credential.Rotation
	// secrets are those of the two names that the Secret can have; name is the one that it shall have.
	secrets   [2]stored
	name      int
	verifiers credential.Verifiers
	known     *v1alpha1.RotationStatus
	prepared  oauth.Secret // in the manager's memory: lost when it dies
	now       time.Time
	ahead     bool // the clock is

	// inUse is the secret that workloads hold: the last that the manager published and that worked. It must work without
	// end until another is published.
	inUse string
	// owed says until when each secret must work that was in use before.
	owed map[string]time.Time
	// order has every secret that was ever in use, the last one last.
	order []string
	// records has the record of every secret that was ever published: what it was truly made for, and when.
	records map[string]credential.Record
	// told is the secret that the status speaks of.
	told  string
	story []string
	// tally is one for a cluster and all its clones.
	tally *tally
}

func newCluster() cluster {
	return cluster{
		uid: "uid", now: noon, rotation: credential.Rotation{Overlap: overlap},
		owed: map[string]time.Time{}, records: map[string]credential.Record{}, tally: &tally{},
	}
}

func (c cluster) clone() cluster {
	c.verifiers, c.owed, c.order = slices.Clone(c.verifiers), maps.Clone(c.owed), slices.Clone(c.order)
	c.records, c.story = maps.Clone(c.records), slices.Clone(c.story)
	return c
}

// published is the secret in the Secret, empty where there is none.
func (c *cluster) published() string { return c.secrets[c.name].secret }

func (c *cluster) fatal(t *testing.T, what string) {
	t.Fatalf("%s: %s", strings.Join(c.story, ", "), what)
}

func (c *cluster) verify(pepper credential.Pepper, secret string, at time.Time) bool {
	client := &credential.Client{UID: c.uid, ID: clientID, Verifiers: c.verifiers}
	_, ok := client.Verify(pepper, oauth.NewSecret(secret), at)
	return ok
}

// found gives the Secrets that the manager looks at: that of the name which it shall have, and those of this object that have
// another.
func (c *cluster) found() []stored {
	var all []stored
	if first := c.secrets[c.name]; first.exists {
		all = append(all, first)
	}
	if other := c.secrets[1-c.name]; other.exists && other.owner == c.uid {
		all = append(all, other)
	}
	return all
}

// observe plans.
func (c *cluster) observe(t *testing.T, random io.Reader, pepper credential.Pepper) credential.Plan {
	var held []credential.Held
	for _, secret := range c.found() {
		held = append(held, credential.Held{
			Secret: oauth.NewSecret(secret.secret), Made: secret.made, Earlier: secret.owner != c.uid,
		})
	}
	plan, err := credential.MakePlan(random, credential.Observed{
		Client: &credential.Client{UID: c.uid, ID: clientID, Verifiers: c.verifiers},
		Pepper: pepper, Rotation: c.rotation, Held: held, Known: c.known, Prepared: c.prepared, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// step is one write of a reconciliation, left out where it would change nothing.
type step struct {
	needed func() bool
	write  func()
}

// allWrites is more than any reconciliation makes: the status, the Secret, the one of the former name, and the status again.
const allWrites = 5

// reconcile plans, carries the plan out, and dies before the write after so many. It reports whether it came to its end.
func (c *cluster) reconcile(t *testing.T, random io.Reader, pepper credential.Pepper, writes int) bool {
	plan := c.observe(t, random, pepper)
	wanted := stored{exists: true, secret: plan.Secret.Reveal(), made: &plan.Made, owner: c.uid}
	before, found := c.originOf(wanted.secret)
	steps := []step{
		{
			needed: func() bool { return plan.Replaces() && !slices.Equal(c.verifiers, plan.Staged) },
			write:  func() { c.stage(pepper, plan) },
		},
		{
			needed: func() bool { return !c.secrets[c.name].equal(wanted) },
			write: func() {
				c.checkRecord(t, plan.Made, before, found)
				c.publish(t, pepper, wanted)
			},
		},
		{needed: c.mustRetire, write: c.retire},
		{
			needed: func() bool {
				return !slices.Equal(c.verifiers, plan.Published) || !sameStatus(c.known, c.rotation.Status(plan.Made))
			},
			write: func() { c.note(pepper, plan) },
		},
	}
	for _, step := range steps {
		if !step.needed() {
			continue
		}
		if writes == 0 {
			return false
		}
		writes--
		step.write()
	}
	return true
}

// stopsAtTheSecret reconciles while the API server refuses the Secret: no more than the verifiers can be written.
func (c *cluster) stopsAtTheSecret(t *testing.T, random io.Reader, pepper credential.Pepper) {
	if plan := c.observe(t, random, pepper); !slices.Equal(c.verifiers, plan.Staged) {
		c.stage(pepper, plan)
	}
}

// stage writes the verifiers before the Secret. The secret that was found counts as the one published last, whoever has put it
// there, and nothing else ends.
func (c *cluster) stage(pepper credential.Pepper, plan credential.Plan) {
	if found, ok := c.holding(pepper); ok {
		c.order = append(c.order, found.secret)
	}
	c.verifiers, c.prepared = throughTheAPI(plan.Staged), plan.Secret
}

// publish writes the Secret. What it holds must work at once where anything is verified at all.
func (c *cluster) publish(t *testing.T, pepper credential.Pepper, wanted stored) {
	c.secrets[c.name], c.prepared = wanted, oauth.Secret{}
	if c.verifiers.KnowsPepper(pepper) && !c.verify(pepper, wanted.secret, c.now.Add(century)) {
		c.fatal(t, "the manager published a secret that does not work, or that has an end")
	}
	c.records[wanted.secret] = *wanted.made
	c.takenUp(pepper)
}

// note writes the status for what the Secret holds.
func (c *cluster) note(pepper credential.Pepper, plan credential.Plan) {
	c.verifiers, c.known, c.told = throughTheAPI(plan.Published), c.rotation.Status(plan.Made), plan.Secret.Reveal()
	c.takenUp(pepper)
}

// mustRetire reports whether the Secret of the former name is to go, or to be marked for that.
func (c *cluster) mustRetire() bool {
	former := c.secrets[1-c.name]
	return former.exists && former.owner == c.uid &&
		(former.removeAfter.IsZero() || !c.now.Before(former.removeAfter) || former.removeAfter.After(c.now.Add(c.rotation.Overlap)))
}

func (c *cluster) retire() {
	former := &c.secrets[1-c.name]
	if end := c.now.Add(c.rotation.Overlap); !former.removeAfter.IsZero() && !c.now.Before(former.removeAfter) || c.rotation.Overlap == 0 {
		*former = stored{}
	} else {
		former.removeAfter = end
	}
}

// takenUp: workloads take up what the manager has published and what works; what they held before is owed the overlap.
func (c *cluster) takenUp(pepper credential.Pepper) {
	published := c.published()
	if !c.verify(pepper, published, c.now) {
		return
	}
	c.order = append(c.order, published)
	if c.inUse != "" && c.inUse != published {
		c.owed[c.inUse] = later(c.owed[c.inUse], c.now.Add(c.rotation.Overlap-time.Second)) // the API stores whole seconds
	}
	c.inUse = published
}

func (s stored) equal(other stored) bool {
	if (s.made == nil) != (other.made == nil) || s.made != nil && *s.made != *other.made {
		return false
	}
	s.made, other.made = nil, nil
	return s == other
}

// throughTheAPI gives verifiers as the status would.
func throughTheAPI(verifiers credential.Verifiers) credential.Verifiers {
	return credential.ReadVerifiers(verifiers.Write())
}

func sameStatus(one, other *v1alpha1.RotationStatus) bool {
	if one == nil || other == nil {
		return one == other
	}
	return one.Trigger == other.Trigger && one.Request == other.Request &&
		one.LastRotationTime.Equal(other.LastRotationTime) && one.NextRotationTime.Equal(other.NextRotationTime)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
