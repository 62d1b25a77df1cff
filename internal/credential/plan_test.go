// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"errors"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

func TestMakePlan(t *testing.T) {
	pepper, oldPepper := newPepper(t, 1), newPepper(t, 2)
	one, two, fresh := generated(t, 11), generated(t, 12), generated(t, freshSeed)
	marks, old := newSealer(pepper), newSealer(oldPepper)
	prepared, current := marks.prepared, marks.current
	expiring := func(secret string) credential.Verifier { return marks.ending(secret, overlap) }
	expired := marks.ending(two, 0)

	for _, row := range []planRow{
		{
			name:   "a new credential gets a secret, which is published before it is verified",
			secret: fresh, want: credential.Verifiers{current(fresh)},
		},
		{
			name: "the current secret stays",
			held: []credential.Held{bare(one)}, verifiers: credential.Verifiers{current(one)},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name: "the current secret stays, and so do those that were replaced",
			held: []credential.Held{bare(one)}, verifiers: credential.Verifiers{current(one), expiring(two)},
			secret: one, want: credential.Verifiers{current(one), expiring(two)},
		},
		{
			name: "what has expired is dropped",
			held: []credential.Held{bare(one)}, verifiers: credential.Verifiers{current(one), expired},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name:   "a generated secret is adopted where the status was wiped, or dying came between the first two writes",
			held:   []credential.Held{bare(one)},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name: "a generated secret is adopted where the pepper was replaced",
			held: []credential.Held{bare(one)}, verifiers: credential.Verifiers{old.current(one), old.ending(two, time.Hour)},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name:      "a deleted Secret is replaced, and the old secret works for the overlap",
			verifiers: credential.Verifiers{current(one)},
			secret:    fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name: "an edited Secret is replaced",
			held: []credential.Held{bare("hunter2")}, verifiers: credential.Verifiers{current(one)},
			secret: fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name: "a generated secret of another's is replaced",
			held: []credential.Held{bare(two)}, verifiers: credential.Verifiers{current(one)},
			secret: fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name: "an old secret that was put back becomes current again while it still works",
			held: []credential.Held{bare(two)}, verifiers: credential.Verifiers{current(one), marks.ending(two, time.Nanosecond)},
			secret: two, staged: credential.Verifiers{current(two), current(one)}, want: credential.Verifiers{current(two), expiring(one)},
		},
		{
			name: "a successor that was staged and that nobody ever got gives way to what workloads hold",
			held: []credential.Held{bare(one)}, verifiers: credential.Verifiers{prepared(two), current(one)},
			secret: one, want: credential.Verifiers{current(one), marks.dropped(two)},
		},
		{
			name: "a successor that was published, and noted by nobody, is the current one: the overlap begins",
			held: []credential.Held{bare(two)}, verifiers: credential.Verifiers{prepared(two), current(one)},
			secret: two, want: credential.Verifiers{current(two), expiring(one)},
		},
		{
			name:      "a successor that could not be published is taken up again",
			verifiers: credential.Verifiers{prepared(two), current(one)}, prepared: two,
			secret: two, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(two), current(one)}, want: credential.Verifiers{current(two), expiring(one)},
		},
		{
			name:      "a successor that the status does not know of is not taken up",
			verifiers: credential.Verifiers{current(one)}, prepared: two,
			secret: fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:      "a secret that was published is nobody's successor",
			verifiers: credential.Verifiers{current(one), expiring(two)}, prepared: two,
			secret: fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh), current(one), expiring(two)},
			want: credential.Verifiers{current(fresh), expiring(one), expiring(two)},
		},
		{
			name: "an old secret that was put back after its overlap is replaced",
			held: []credential.Held{bare(two)}, verifiers: credential.Verifiers{current(one), expired},
			secret: fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:   "a secret that is not generated is never adopted, even where nothing is verified",
			held:   []credential.Held{bare("hunter2")},
			secret: fresh, want: credential.Verifiers{current(fresh)},
		},
		{
			name:   "a damaged secret is never adopted",
			held:   []credential.Held{bare(one[:len(one)-1])},
			secret: fresh, want: credential.Verifiers{current(fresh)},
		},
		{
			name:      "a deleted Secret under another pepper is replaced, verifiers first",
			verifiers: credential.Verifiers{old.current(one)},
			secret:    fresh, cause: credential.CauseHealing, staged: credential.Verifiers{prepared(fresh)}, want: credential.Verifiers{current(fresh)},
		},
	} {
		row.rotation, row.made = credential.Rotation{Overlap: overlap}, credential.Record{IssuedAt: noon}
		t.Run(row.name, func(t *testing.T) { row.run(t, pepper) })
	}
}

// TestMakePlanWithoutRandomness: no plan is better than a guessable secret; and what exists needs none.
func TestMakePlanWithoutRandomness(t *testing.T) {
	pepper, client := newPepper(t, 1), &credential.Client{ID: "acme.orders"}
	plan, err := credential.MakePlan(brokenRandomness(), credential.Observed{Client: client, Pepper: pepper, Now: noon})
	if !errors.Is(err, errNoRandomness) || plan.Secret.Reveal() != "" || plan.Published != nil {
		t.Errorf("got %v, %v", plan, err)
	}
	one := generated(t, 11)
	plan, err = credential.MakePlan(brokenRandomness(), credential.Observed{Client: client, Pepper: pepper, Held: []credential.Held{bare(one)}, Now: noon})
	if err != nil || plan.Secret.Reveal() != one {
		t.Errorf("got %v, %v", plan, err)
	}
}
