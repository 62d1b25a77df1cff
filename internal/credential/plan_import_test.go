// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

func TestMakeImportPlan(t *testing.T) {
	pepper := newPepper(t, 1)
	const mine, edited = "a secret of my own", "another of my own"
	marks := newSealer(pepper)
	current, prepared := marks.current, marks.prepared
	expiring := func(secret string) credential.Verifier { return marks.ending(secret, overlap) }
	list := func(verifiers ...credential.Verifier) credential.Verifiers { return verifiers }
	since := func(verifier credential.Verifier, ago time.Duration) credential.Verifier {
		verifier.PublishedAt = noon.Add(-ago)
		return verifier
	}
	now := credential.Record{IssuedAt: noon}

	for _, row := range []planRow{
		{
			name:   "the first one is verified, and nobody holds another",
			secret: mine, made: now, want: list(current(mine)),
		},
		{
			name:      "one that has not changed stays, and counts as made when it was first seen",
			verifiers: list(since(current(mine), time.Hour)),
			secret:    mine, made: credential.Record{IssuedAt: noon.Add(-time.Hour)}, want: list(since(current(mine), time.Hour)),
		},
		{
			name:      "what was before it goes on until its end",
			verifiers: list(current(mine), marks.ending(edited, time.Hour)),
			secret:    mine, made: now, want: list(current(mine), marks.ending(edited, time.Hour)),
		},
		{
			name:      "what has expired is dropped",
			verifiers: list(current(mine), marks.ending(edited, 0)),
			secret:    mine, made: now, want: list(current(mine)),
		},
		{
			name:      "one that was edited is current at once, and the one before works for the overlap",
			verifiers: list(current(mine)),
			secret:    edited, made: now, cause: credential.CauseImport, staged: list(prepared(edited), current(mine)), want: list(current(edited), expiring(mine)),
		},
		{
			name:      "one that was generated before works for the overlap too",
			verifiers: list(current(generated(t, 11))),
			secret:    mine, made: now, cause: credential.CauseImport, staged: list(prepared(mine), current(generated(t, 11))),
			want: list(current(mine), expiring(generated(t, 11))),
		},
		{
			name:      "one that was edited back within the overlap is current again, and the edited one works for the overlap",
			verifiers: list(current(edited), marks.ending(mine, time.Hour)),
			secret:    mine, made: now, staged: list(current(mine), current(edited)), want: list(current(mine), expiring(edited)),
		},
		{
			name:      "a pepper that was replaced replaces no secret",
			verifiers: list(newSealer(newPepper(t, 2)).current(mine)),
			secret:    mine, made: now, want: list(current(mine)),
		},
		{
			name:      "one that was edited back after the overlap is a new one",
			verifiers: list(current(edited), marks.ending(mine, 0)),
			secret:    mine, made: now, cause: credential.CauseImport, staged: list(prepared(mine), current(edited)), want: list(current(mine), expiring(edited)),
		},
		{
			name:      "dying between the verifiers and the Secret goes on with what was begun",
			verifiers: list(prepared(edited), current(mine)),
			secret:    edited, made: now, cause: credential.CauseImport, staged: list(prepared(edited), current(mine)),
			want: list(current(edited), expiring(mine)),
		},
	} {
		row.rotation = credential.Rotation{Overlap: overlap}
		t.Run(row.name, func(t *testing.T) {
			row.check(t, credential.MakeImportPlan(oauth.NewSecret(row.secret), row.observed(pepper)))
		})
	}
}

func TestMakeImportPlanWithoutOverlap(t *testing.T) {
	pepper := newPepper(t, 1)
	const mine, edited = "a secret of my own", "another of my own"
	marks := newSealer(pepper)
	for _, row := range []planRow{
		{
			name:      "one that was edited ends the one before at once",
			verifiers: credential.Verifiers{marks.current(mine)},
			secret:    edited, made: credential.Record{IssuedAt: noon}, cause: credential.CauseImport,
			staged: credential.Verifiers{marks.prepared(edited), marks.current(mine)}, want: credential.Verifiers{marks.current(edited)},
		},
		{
			name:      "one that has not changed ends what was left of an overlap",
			verifiers: credential.Verifiers{marks.current(mine), marks.ending(edited, overlap)},
			secret:    mine, made: credential.Record{IssuedAt: noon}, want: credential.Verifiers{marks.current(mine)},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.check(t, credential.MakeImportPlan(oauth.NewSecret(row.secret), row.observed(pepper)))
		})
	}
}

// TestImportsSettle: whatever was before, a second plan changes nothing.
func TestImportsSettle(t *testing.T) {
	pepper := newPepper(t, 1)
	secret := oauth.NewSecret("a secret of my own")
	marks := newSealer(pepper)
	for name, before := range map[string]credential.Verifiers{
		"nothing":               nil,
		"the same":              {marks.current(secret.Reveal())},
		"another":               {marks.current("another of my own")},
		"another, and the same": {marks.current("another of my own"), marks.ending(secret.Reveal(), time.Hour)},
		"another pepper's":      {newSealer(newPepper(t, 2)).current(secret.Reveal())},
		"a clock that was ahead": {
			{Digest: marks.current(secret.Reveal()).Digest, PepperID: pepper.ID(), PublishedAt: noon.Add(month)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The annotation rotates nothing here, and is no part of any record.
			row := planRow{rotation: credential.Rotation{Overlap: overlap, Request: "now"}, verifiers: before}
			observed := row.observed(pepper)
			first := credential.MakeImportPlan(secret, observed)
			observed.Client.Verifiers = credential.ReadVerifiers(first.Published.Write())
			observed.Now = noon.Add(time.Second)
			again := credential.MakeImportPlan(secret, observed)
			if again.Replaces() || again.Cause != "" || again.Made != first.Made || !slices.Equal(again.Published, first.Published) {
				t.Errorf("got %v, then %v", first, again)
			}
		})
	}
}
