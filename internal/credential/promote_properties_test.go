// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

// TestPromoteProperties holds Promote to what it promises, over generated lists.
func TestPromoteProperties(t *testing.T) {
	const seed = 20260301
	random := rand.New(rand.NewPCG(seed, seed))
	pepper, other := newPepper(t, 1), newPepper(t, 2)
	crowded := 0
	for run := range 5000 {
		before := generateVerifiers(random, pepper, other)
		now := noon.Add(time.Duration(random.Int64N(int64(time.Minute))))
		overlap := []time.Duration{0, time.Hour, overlap}[random.IntN(3)]
		secret := string(rune('a' + random.IntN(names)))
		digest := digestOf(pepper, secret)
		after := before.Promote(pepper, digest, now, overlap)

		if after[0].Digest != digest || !after[0].ExpiresAt.IsZero() || after[0].PepperID != pepper.ID() {
			t.Fatalf("run %d: the new digest is not current and first: %v", run, after)
		}
		if len(after) > most {
			t.Fatalf("run %d: %d verifiers", run, len(after))
		}
		if len(before) == most && len(after) == most && !before.Has(pepper, digest, now) {
			crowded++
		}
		for i, verifier := range after[1:] {
			if verifier.ExpiresAt.IsZero() || !now.Before(verifier.ExpiresAt) || verifier.ExpiresAt.After(now.Add(overlap)) {
				t.Fatalf("run %d: a replaced secret lives until %v", run, verifier.ExpiresAt)
			}
			if i > 0 && after[i].ExpiresAt.Before(verifier.ExpiresAt) {
				t.Fatalf("run %d: not in order: %v", run, after)
			}
		}
		checkSurvivors(t, pepper, before, after, replacement{now, overlap})
		if again := after.Promote(pepper, digest, now, overlap); !slices.Equal(again, after) {
			t.Fatalf("run %d: not idempotent: %v, then %v", run, after, again)
		}
	}
	if crowded < 100 {
		t.Errorf("the bound left something out in %d runs only", crowded)
	}
}

// replacement is when a secret was replaced, and with which overlap.
type replacement struct {
	now     time.Time
	overlap time.Duration
}

// checkSurvivors: whatever verified before goes on to do so until its own end or that of the overlap, whichever comes first,
// unless the bound left no room for it, and then everything that stayed lives at least as long.
func checkSurvivors(t *testing.T, pepper credential.Pepper, before, after credential.Verifiers, at replacement) {
	t.Helper()
	for _, old := range before {
		if !before.Has(pepper, old.Digest, at.now) || old.PepperID != pepper.ID() {
			continue
		}
		end := old.ExpiresAt
		if last := at.now.Add(at.overlap); end.IsZero() || end.After(last) {
			end = last.Truncate(time.Second)
		}
		if after.Has(pepper, old.Digest, end.Add(-1)) || !at.now.Before(end) {
			continue
		}
		if len(after) < most || after[most-1].ExpiresAt.Before(end) {
			t.Fatalf("%v does not live until %v: %v", old, end, after)
		}
	}
}

// names is how many secrets there are in generated lists: more than there is room for.
const names = 24

// generateVerifiers gives up to 16 verifiers of different secrets: current, expiring within the overlap or beyond it, or
// expired, most of one pepper. One list in four is full, and all of it lives.
func generateVerifiers(random *rand.Rand, pepper, other credential.Pepper) credential.Verifiers {
	full := random.IntN(4) == 0
	count, earliest := random.IntN(most+1), -6
	if full {
		count, earliest = most, 1
	}
	var all credential.Verifiers
	for _, i := range random.Perm(names)[:count] {
		with := pepper
		if !full && random.IntN(6) == 0 {
			with = other
		}
		verifier := credential.Verifier{Digest: digestOf(with, string(rune('a'+i))), PepperID: with.ID()}
		if random.IntN(4) > 0 {
			verifier.ExpiresAt = noon.Add(time.Duration(earliest*3600+random.IntN(36*3600)) * time.Second)
		}
		all = append(all, verifier)
	}
	return all
}
