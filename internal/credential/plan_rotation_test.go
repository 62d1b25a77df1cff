// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// known is what the status says of a secret with that record.
func known(made credential.Record) *v1alpha1.RotationStatus {
	return credential.Rotation{}.Status(made)
}

func TestMakePlanRotates(t *testing.T) {
	pepper := newPepper(t, 1)
	one, two, three, fresh := generated(t, 11), generated(t, 12), generated(t, 13), generated(t, freshSeed)
	marks := newSealer(pepper)
	current, prepared := marks.current, marks.prepared
	expiring := func(secret string) credential.Verifier { return marks.ending(secret, overlap) }
	list := func(verifiers ...credential.Verifier) credential.Verifiers { return verifiers }
	rotation := credential.Rotation{Interval: month, Overlap: overlap, Trigger: "q4", Request: "second"}
	with := func(change func(*credential.Rotation)) credential.Rotation {
		changed := rotation
		change(&changed)
		return changed
	}
	// made is the record of a secret that is an hour old and is what the rotation asks for; now that of one made now.
	made := credential.Record{IssuedAt: noon.Add(-time.Hour), Trigger: "q4", Request: "second"}
	now := credential.Record{IssuedAt: noon, Trigger: "q4", Request: "second"}
	of := func(change func(*credential.Record)) credential.Record {
		changed := made
		change(&changed)
		return changed
	}
	oldTrigger := of(func(r *credential.Record) { r.Trigger = "q3" })
	oldRequest := of(func(r *credential.Record) { r.Request = "first" })
	aged := of(func(r *credential.Record) { r.IssuedAt = noon.Add(-month) })
	held := func(all ...credential.Held) []credential.Held { return all }

	for _, row := range []planRow{
		{
			name:     "a secret that is what is asked for stays, with its record",
			rotation: rotation, held: held(noted(one, made)), verifiers: list(current(one)),
			secret: one, made: made, want: list(current(one)),
		},
		{
			name:     "the first secret is made for what is asked for",
			rotation: rotation,
			secret:   fresh, made: now, want: list(current(fresh)),
		},
		{
			name:     "one whose interval has passed is replaced",
			rotation: rotation, held: held(noted(one, aged)), verifiers: list(current(one)),
			secret: fresh, made: now, cause: credential.CauseInterval, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "one that was made for another trigger is replaced",
			rotation: rotation, held: held(noted(one, oldTrigger)), verifiers: list(current(one)),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "one that was made for another annotation is replaced",
			rotation: rotation, held: held(noted(one, oldRequest)), verifiers: list(current(one)),
			secret: fresh, made: now, cause: credential.CauseRequest, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "one for which all of it is due is replaced once",
			rotation: rotation, held: held(noted(one, credential.Record{IssuedAt: aged.IssuedAt, Trigger: "q3"})), verifiers: list(current(one)),
			secret: fresh, made: now, cause: credential.CauseRequest, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "a trigger that was taken away replaces nothing, and is remembered",
			rotation: with(func(r *credential.Rotation) { r.Trigger = "" }), held: held(noted(one, made)), verifiers: list(current(one)),
			secret: one, made: made, want: list(current(one)),
		},
		{
			name:     "an annotation that was taken away replaces nothing, and is remembered",
			rotation: with(func(r *credential.Rotation) { r.Request = "" }), held: held(noted(one, made)), verifiers: list(current(one)),
			secret: one, made: made, want: list(current(one)),
		},
		{
			name:     "a Secret that was deleted before a rotation that is due is replaced once, for both",
			rotation: rotation, verifiers: list(current(one)), known: known(oldTrigger),
			secret: fresh, made: now, cause: credential.CauseHealing, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "a Secret that was edited before a rotation that is due is replaced once, for both",
			rotation: rotation, held: held(noted("hunter2", oldTrigger)), verifiers: list(current(one)), known: known(oldTrigger),
			secret: fresh, made: now, cause: credential.CauseHealing, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "without an overlap the old one works until the new one is published, and not a moment longer",
			rotation: with(func(r *credential.Rotation) { r.Overlap = 0 }), held: held(noted(one, oldTrigger)), verifiers: list(current(one), expiring(two)),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(one), expiring(two)), want: list(current(fresh)),
		},
		{
			name:     "an overlap that was shortened shortens what is left of one under way, and replaces nothing",
			rotation: with(func(r *credential.Rotation) { r.Overlap = time.Hour }), held: held(noted(one, made)), verifiers: list(current(one), expiring(two)),
			secret: one, made: made, want: list(current(one), marks.ending(two, time.Hour)),
		},
		{
			name:     "an adopted secret that is due is replaced, and goes on working: the status was wiped",
			rotation: rotation, held: held(noted(one, oldTrigger)),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "the same where the pepper was replaced",
			rotation: rotation, held: held(noted(one, aged)), verifiers: list(newSealer(newPepper(t, 2)).current(one)),
			secret: fresh, made: now, cause: credential.CauseInterval, staged: list(prepared(fresh), current(one)), want: list(current(fresh), expiring(one)),
		},
		{
			name:     "an adopted secret that is not due stays, with its record",
			rotation: rotation, held: held(noted(one, made)),
			secret: one, made: made, want: list(current(one)),
		},
		{
			name:     "an old secret that was put back is replaced again, for its record is the old one, and works for the overlap",
			rotation: rotation, held: held(noted(two, oldTrigger)), verifiers: list(current(one), marks.ending(two, time.Hour)), known: known(made),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(two), current(one)),
			want: list(current(fresh), expiring(two), expiring(one)),
		},
		{
			name:     "dying after the Secret was written replaces nothing again: its record says what it was made for",
			rotation: rotation, held: held(noted(two, now)), verifiers: list(prepared(two), current(one)), known: known(oldTrigger),
			secret: two, made: now, want: list(current(two), expiring(one)),
		},
		{
			name:     "dying before the Secret was written replaces the secret all the same",
			rotation: rotation, held: held(noted(one, oldTrigger)), verifiers: list(prepared(two), current(one)), known: known(oldTrigger),
			secret: fresh, made: now, cause: credential.CauseTrigger, staged: list(prepared(fresh), current(one), prepared(two)),
			want: list(current(fresh), expiring(one), marks.dropped(two)),
		},
		{
			name:     "a retry stages what the status has already",
			rotation: rotation, held: held(noted(one, oldTrigger)), verifiers: list(prepared(two), current(one)), prepared: two,
			secret: two, made: now, cause: credential.CauseTrigger, staged: list(prepared(two), current(one)), want: list(current(two), expiring(one)),
		},
		{
			name:     "and leaves what another manager had prepared",
			rotation: rotation, held: held(noted(one, oldTrigger)), verifiers: list(prepared(two), current(one), marks.dropped(three)), prepared: two,
			secret: two, made: now, cause: credential.CauseTrigger, staged: list(prepared(two), current(one), marks.dropped(three)),
			want: list(current(two), expiring(one), marks.dropped(three)),
		},
		{
			name:     "a retry keeps an old secret that was put back working too",
			rotation: rotation, held: held(noted(three, oldTrigger)), verifiers: list(prepared(two), current(one), marks.ending(three, time.Hour)), prepared: two,
			secret: two, made: now, cause: credential.CauseTrigger, staged: list(prepared(two), current(three), current(one)),
			want: list(current(two), expiring(three), expiring(one)),
		},
		{
			name:     "a successor that was prepared is given up where nothing is due any more",
			rotation: rotation, held: held(noted(one, made)), verifiers: list(prepared(two), current(one)), prepared: two,
			secret: one, made: made, want: list(current(one), marks.dropped(two)),
		},
	} {
		t.Run(row.name, func(t *testing.T) { row.run(t, pepper) })
	}
}

// TestMakePlanFindsTheRecord: that on the Secret, else that of the status, else as if the secret had been made for what is
// asked for now. Taking any of them away must not replace a secret.
func TestMakePlanFindsTheRecord(t *testing.T) {
	pepper := newPepper(t, 1)
	one, fresh := generated(t, 11), generated(t, freshSeed)
	marks := newSealer(pepper)
	kept := credential.Verifiers{marks.current(one)}
	rotation := credential.Rotation{Interval: month, Overlap: overlap, Trigger: "q4", Request: "second"}
	made := credential.Record{IssuedAt: noon.Add(-time.Hour), Trigger: "q4", Request: "second"}
	former := credential.Record{IssuedAt: noon.Add(-2 * time.Hour), Trigger: "q3", Request: "second"}
	aged := credential.Record{IssuedAt: noon.Add(-month), Trigger: "q4", Request: "second"}
	now := credential.Record{IssuedAt: noon, Trigger: "q4", Request: "second"}
	published := func(ago time.Duration) credential.Verifiers {
		verifier := marks.current(one)
		verifier.PublishedAt = noon.Add(-ago)
		return credential.Verifiers{verifier}
	}
	// A clock that was ahead by half a minute is nothing out of the ordinary.
	ahead := func(by time.Duration) credential.Record {
		return credential.Record{IssuedAt: noon.Add(by), Trigger: "q4", Request: "second"}
	}
	for _, row := range []struct {
		name      string
		held      credential.Held
		verifiers credential.Verifiers
		known     *v1alpha1.RotationStatus
		made      credential.Record
		cause     credential.Cause
	}{
		{name: "the Secret's record counts where the status says that a rotation is due", held: noted(one, made), verifiers: kept, known: known(former), made: made},
		{name: "the Secret's record counts where the status says that none is", held: noted(one, former), verifiers: kept, known: known(made), made: now, cause: credential.CauseTrigger},
		{name: "the Secret's time counts, not the status's", held: noted(one, made), verifiers: kept, known: known(aged), made: made},
		{name: "the status's record counts where the Secret has none", held: bare(one), verifiers: kept, known: known(made), made: made},
		{name: "also where it says that a rotation is due", held: bare(one), verifiers: kept, known: known(former), made: now, cause: credential.CauseTrigger},
		{name: "also where it says that the interval has passed", held: bare(one), verifiers: kept, known: known(aged), made: now, cause: credential.CauseInterval},
		{
			name: "a status without a time leaves that of the publication",
			held: bare(one), verifiers: published(time.Minute), known: &v1alpha1.RotationStatus{Trigger: "q4", Request: "second"},
			made: credential.Record{IssuedAt: noon.Add(-time.Minute), Trigger: "q4", Request: "second"},
		},
		{
			name: "where neither says anything, nothing is due but what the time of publication makes due",
			held: bare(one), verifiers: published(time.Minute),
			made: credential.Record{IssuedAt: noon.Add(-time.Minute), Trigger: "q4", Request: "second"},
		},
		{name: "which is the interval", held: bare(one), verifiers: published(month), made: now, cause: credential.CauseInterval},
		{name: "where nothing at all is known, the secret counts as made now", held: bare(one), made: now},
		{name: "a record of a clock that was ahead is brought back to now", held: noted(one, ahead(month)), verifiers: kept, made: now},
		{name: "one that is a minute ahead is left alone", held: noted(one, ahead(time.Minute)), verifiers: kept, made: ahead(time.Minute)},
		{name: "one that is a second more ahead is not", held: noted(one, ahead(time.Minute+time.Second)), verifiers: kept, made: now},
		{name: "a status that a clock which was ahead has written is brought back too", held: bare(one), verifiers: kept, known: known(ahead(month)), made: now},
		{name: "and so is a time of publication", held: bare(one), verifiers: published(-month), made: now},
		{
			name: "what such a record was made for still counts",
			held: noted(one, credential.Record{IssuedAt: noon.Add(month), Trigger: "q3", Request: "second"}), verifiers: kept,
			made: now, cause: credential.CauseTrigger,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			plan, err := credential.MakePlan(randomness(freshSeed), credential.Observed{
				Client: &credential.Client{UID: clientUID, ID: clientID, Verifiers: row.verifiers},
				Pepper: pepper, Rotation: rotation, Held: []credential.Held{row.held}, Known: row.known, Now: noon,
			})
			if err != nil {
				t.Fatal(err)
			}
			secret := one
			if row.cause != "" {
				secret = fresh
			}
			if plan.Made != row.made || plan.Cause != row.cause || plan.Secret.Reveal() != secret || plan.Replaces() != (row.cause != "") {
				t.Errorf("got record %v, cause %q; want %v, %q", plan.Made, plan.Cause, row.made, row.cause)
			}
		})
	}
}

// TestRecordsAreWholeSeconds: the Secret and the status hold no fractions, so what is planned must equal what is read back.
func TestRecordsAreWholeSeconds(t *testing.T) {
	pepper := newPepper(t, 1)
	now := noon.Add(999 * time.Millisecond).In(time.FixedZone("elsewhere", 3600))
	observed := credential.Observed{Client: &credential.Client{UID: clientUID, ID: clientID}, Pepper: pepper, Now: now}
	plan, err := credential.MakePlan(randomness(freshSeed), observed)
	if err != nil || plan.Made != (credential.Record{IssuedAt: noon}) {
		t.Errorf("got %v and %v", plan.Made, err)
	}
	ahead := noted(generated(t, 11), credential.Record{IssuedAt: noon.Add(month)})
	observed.Held = []credential.Held{ahead}
	if plan, err = credential.MakePlan(brokenRandomness(), observed); err != nil || plan.Made != (credential.Record{IssuedAt: noon}) {
		t.Errorf("got %v and %v", plan.Made, err)
	}
	status := metav1.Time{Time: noon.In(time.FixedZone("elsewhere", 3600))}
	observed.Held[0].Made, observed.Known = nil, &v1alpha1.RotationStatus{LastRotationTime: &status}
	if plan, err = credential.MakePlan(brokenRandomness(), observed); err != nil || !plan.Made.IssuedAt.Equal(noon) {
		t.Errorf("got %v and %v", plan.Made, err)
	}
}
