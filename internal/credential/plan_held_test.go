// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

// earlier says that a secret is in a Secret of an earlier object of the same name.
func earlier(held credential.Held) credential.Held {
	held.Earlier = true
	return held
}

// TestMakePlanChooses: of several secrets that workloads may hold one is the current one. The first is in the Secret that shall
// hold it; the others are in Secrets of former names.
func TestMakePlanChooses(t *testing.T) {
	pepper, oldPepper := newPepper(t, 1), newPepper(t, 2)
	one, two, fresh := generated(t, 11), generated(t, 12), generated(t, freshSeed)
	marks := newSealer(pepper)
	current, prepared := marks.current, marks.prepared
	expiring := func(secret string) credential.Verifier { return marks.ending(secret, overlap) }
	list := func(verifiers ...credential.Verifier) credential.Verifiers { return verifiers }
	held := func(all ...credential.Held) []credential.Held { return all }
	foreign := current(one)
	foreign.PepperID = oldPepper.ID()
	first := credential.Record{IssuedAt: noon.Add(-2 * time.Hour), Trigger: "q4"}
	second := credential.Record{IssuedAt: noon.Add(-time.Hour), Trigger: "q4"}
	former := credential.Record{IssuedAt: noon.Add(-3 * time.Hour), Trigger: "q3"}
	now := credential.Record{IssuedAt: noon, Trigger: "q4"}

	for _, row := range []planRow{
		{
			name: "a secret that only the Secret of a former name holds stays, with its record",
			held: held(noted(one, first)), verifiers: list(current(one)),
			secret: one, made: first, want: list(current(one)),
		},
		{
			name: "the one that was published last wins",
			held: held(noted(two, second), noted(one, first)), verifiers: list(current(two), marks.ending(one, time.Hour)),
			secret: two, made: second, want: list(current(two), marks.ending(one, time.Hour)),
		},
		{
			name: "also where a former name holds it",
			held: held(noted(one, first), noted(two, second)), verifiers: list(current(two), marks.ending(one, time.Hour)),
			secret: two, made: second, want: list(current(two), marks.ending(one, time.Hour)),
		},
		{
			name: "of two that have ended, the one that was replaced last",
			held: held(noted(one, first), noted(two, second)), verifiers: list(current("lost"), marks.ending(two, 2*time.Hour), marks.ending(one, time.Hour)),
			secret: two, made: second, staged: list(current(two), current("lost"), marks.ending(one, time.Hour)),
			want: list(current(two), expiring("lost"), marks.ending(one, time.Hour)),
		},
		{
			name: "a successor that was published under the new name, and noted by nobody, wins over the one under the old name",
			held: held(noted(two, second), noted(one, former)), verifiers: list(prepared(two), current(one)),
			secret: two, made: second, want: list(current(two), expiring(one)),
		},
		{
			name: "where the new name holds what was edited, the former name's still counts",
			held: held(noted("hunter2", second), noted(one, first)), verifiers: list(current(one)),
			secret: one, made: first, want: list(current(one)),
		},
		{
			name: "one secret in two Secrets has the record of the one that shall hold it",
			held: held(noted(one, second), noted(one, former)), verifiers: list(current(one)),
			secret: one, made: second, want: list(current(one)),
		},
		{
			name: "a rotation that is due is due by the record of the one that wins, not by that of another",
			held: held(noted(one, first), noted(two, former)), verifiers: list(current(two), marks.ending(one, time.Hour)),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(two), marks.ending(one, time.Hour)),
			want: list(current(fresh), expiring(two), marks.ending(one, time.Hour)),
		},
		{
			name:   "where nothing is verified, the one in the Secret that shall hold it is adopted",
			held:   held(noted(two, second), noted(one, first)),
			secret: two, made: second, want: list(current(two)),
		},
		{
			name:   "unless it is not a generated one: then the next",
			held:   held(noted("hunter2", second), noted(one, first)),
			secret: one, made: first, want: list(current(one)),
		},
		{
			name: "the same under another pepper",
			held: held(noted(two, second), noted(one, first)), verifiers: list(newSealer(oldPepper).current(one)),
			secret: two, made: second, want: list(current(two)),
		},
		{
			name: "a secret that its user brought gives way to a generated one once spec.secretRef is taken away, and works for the overlap",
			held: held(noted("a secret of my own", first)), verifiers: list(current("a secret of my own")),
			secret: fresh, made: now, cause: credential.CauseImport, staged: list(prepared(fresh), current("a secret of my own")),
			want: list(current(fresh), expiring("a secret of my own")),
		},
		{
			name: "a digest under another pepper's name is not that of any",
			held: held(noted(one, first)), verifiers: list(current("lost"), foreign),
			secret: fresh, made: now, cause: credential.CauseHealing, staged: list(prepared(fresh), current("lost")), want: list(current(fresh), expiring("lost")),
		},
		{
			name: "where none verifies any more, a new one is made",
			held: held(noted(two, second), noted(one, first)), verifiers: list(current("lost"), marks.ending(one, 0)),
			secret: fresh, made: now, cause: credential.CauseHealing, staged: list(prepared(fresh), current("lost")), want: list(current(fresh), expiring("lost")),
		},
	} {
		row.rotation = credential.Rotation{Overlap: overlap, Trigger: "q4"}
		t.Run(row.name, func(t *testing.T) { row.run(t, pepper) })
	}
}

// TestMakePlanAdoptsFromEarlierObjects: an object was deleted and made anew, or restored from a backup. Its digests are of
// another UID and match nothing; its workloads hold the secret all the same.
func TestMakePlanAdoptsFromEarlierObjects(t *testing.T) {
	pepper := newPepper(t, 1)
	one, two, three, fresh := generated(t, 11), generated(t, 12), generated(t, 13), generated(t, freshSeed)
	marks := newSealer(pepper)
	current, prepared := marks.current, marks.prepared
	expiring := func(secret string) credential.Verifier { return marks.ending(secret, overlap) }
	list := func(verifiers ...credential.Verifier) credential.Verifiers { return verifiers }
	held := func(all ...credential.Held) []credential.Held { return all }
	made := credential.Record{IssuedAt: noon.Add(-time.Hour), Trigger: "q4"}
	former := credential.Record{IssuedAt: noon.Add(-time.Hour), Trigger: "q3"}
	now := credential.Record{IssuedAt: noon, Trigger: "q4"}

	for _, row := range []planRow{
		{
			name:   "its secret is adopted where nothing is verified yet",
			held:   held(earlier(noted(one, made))),
			secret: one, made: made, want: list(current(one)),
		},
		{
			name: "its secret is rotated where its trigger is an old one, and works for the overlap",
			held: held(earlier(noted(one, former))), verifiers: list(current(two)),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(one), current(two)),
			want: list(current(fresh), expiring(one), expiring(two)),
		},
		{
			name: "one that verifies wins over that of an earlier object",
			held: held(earlier(noted(one, made)), noted(two, made)), verifiers: list(current(two)),
			secret: two, made: made, want: list(current(two)),
		},
		{
			name: "a secret that is not a generated one is not adopted from an earlier object either",
			held: held(earlier(noted("hunter2", made))), verifiers: list(current(two)),
			secret: fresh, made: now, cause: credential.CauseHealing, staged: list(prepared(fresh), current(two)), want: list(current(fresh), expiring(two)),
		},
		{
			name: "a secret of this object that verifies nothing is not adopted with it",
			held: held(noted(three, made), earlier(noted(one, former))), verifiers: list(current(two)),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(one), current(two)),
			want: list(current(fresh), expiring(one), expiring(two)),
		},
	} {
		row.rotation = credential.Rotation{Overlap: overlap, Trigger: "q4"}
		t.Run(row.name, func(t *testing.T) { row.run(t, pepper) })
	}
}

// TestMakePlanAdoptsBesideAnother: the object that was made anew has had a secret of its own already, when the Secret of the
// earlier one comes back from a backup. Workloads that hold either go on.
func TestMakePlanAdoptsBesideAnother(t *testing.T) {
	pepper := newPepper(t, 1)
	one, two := generated(t, 11), generated(t, 12)
	marks := newSealer(pepper)
	made := credential.Record{IssuedAt: noon.Add(-time.Hour)}
	plan, err := credential.MakePlan(brokenRandomness(), credential.Observed{
		Client: &credential.Client{UID: clientUID, ID: clientID, Verifiers: credential.Verifiers{marks.current(two)}},
		Pepper: pepper, Rotation: credential.Rotation{Overlap: overlap}, Held: []credential.Held{earlier(noted(one, made))}, Now: noon,
	})
	if err != nil || plan.Secret.Reveal() != one || plan.Made != made || plan.Cause != "" {
		t.Errorf("got %v, %v", plan, err)
	}
	// The Secret is marked as this object's own when it is written: nobody could tell any more that its secret is to be adopted.
	if want := (credential.Verifiers{marks.current(one), marks.current(two)}); !slices.Equal(plan.Staged, want) {
		t.Errorf("got staged %v, want %v", plan.Staged, want)
	}
	if want := (credential.Verifiers{marks.current(one), marks.ending(two, overlap)}); !slices.Equal(plan.Published, want) {
		t.Errorf("got verifiers %v, want %v", plan.Published, want)
	}
}
