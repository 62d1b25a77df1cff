// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

const (
	overlap = 24 * time.Hour
	// most is the API's bound on status.verifiers.
	most = 8
)

func TestPromote(t *testing.T) {
	pepper, other := newPepper(t, 1), newPepper(t, 2)
	in := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	verifier := func(secret string, expires time.Time) credential.Verifier {
		return credential.Verifier{Digest: digestOf(pepper, secret), PepperID: pepper.ID(), ExpiresAt: expires}
	}
	current := func(secret string) credential.Verifier { return verifier(secret, time.Time{}) }
	published := func(verifier credential.Verifier) credential.Verifier {
		verifier.PublishedAt = in(-9)
		return verifier
	}
	promoted := credential.Verifier{Digest: digestOf(pepper, "new"), PepperID: pepper.ID(), PublishedAt: noon}
	for _, row := range []struct {
		name   string
		before credential.Verifiers
		want   credential.Verifiers
	}{
		{name: "the first secret is current", want: credential.Verifiers{promoted}},
		{
			name:   "the current secret stays current",
			before: credential.Verifiers{current("new")}, want: credential.Verifiers{promoted},
		},
		{
			name:   "a replaced secret expires after the overlap",
			before: credential.Verifiers{current("old")}, want: credential.Verifiers{promoted, verifier("old", in(24))},
		},
		{
			name:   "one that expires already keeps its time",
			before: credential.Verifiers{current("old"), verifier("older", in(5))},
			want:   credential.Verifiers{promoted, verifier("old", in(24)), verifier("older", in(5))},
		},
		{
			name:   "a successor that was prepared is published now, and the overlap of the one before begins",
			before: credential.Verifiers{current("new"), published(current("old"))},
			want:   credential.Verifiers{promoted, published(verifier("old", in(24)))},
		},
		{
			name:   "one that has expired is dropped, at the very instant too",
			before: credential.Verifiers{verifier("a", in(0)), verifier("b", in(-1))}, want: credential.Verifiers{promoted},
		},
		{
			name:   "one of another pepper is dropped",
			before: credential.Verifiers{{Digest: digestOf(other, "old"), PepperID: other.ID()}}, want: credential.Verifiers{promoted},
		},
		{
			name:   "one that expires becomes current again",
			before: credential.Verifiers{current("old"), verifier("new", in(5))},
			want:   credential.Verifiers{promoted, verifier("old", in(24))},
		},
		{
			name:   "one that becomes current again stays published",
			before: credential.Verifiers{current("old"), published(verifier("new", in(5)))},
			want:   credential.Verifiers{published(current("new")), verifier("old", in(24))},
		},
		{
			name: "beyond the bound, those that were never published go first",
			before: credential.Verifiers{
				current("old"), published(verifier("1", in(1))), verifier("7", in(7)), verifier("3", in(3)), verifier("6", in(6)),
				verifier("2", in(2)), verifier("5", in(5)), verifier("4", in(4)),
			},
			want: credential.Verifiers{
				promoted, published(verifier("1", in(1))), verifier("old", in(24)), verifier("7", in(7)), verifier("6", in(6)),
				verifier("5", in(5)), verifier("4", in(4)), verifier("3", in(3)),
			},
		},
		{
			name: "beyond the bound, those that would expire first go first",
			before: credential.Verifiers{
				current("old"), verifier("1", in(1)), verifier("7", in(7)), verifier("3", in(3)), verifier("6", in(6)),
				verifier("2", in(2)), verifier("5", in(5)), verifier("4", in(4)),
			},
			want: credential.Verifiers{
				promoted, verifier("old", in(24)), verifier("7", in(7)), verifier("6", in(6)), verifier("5", in(5)),
				verifier("4", in(4)), verifier("3", in(3)), verifier("2", in(2)),
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := slices.Clone(row.before)
			got := row.before.Promote(pepper, digestOf(pepper, "new"), noon, overlap)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if !slices.Equal(row.before, before) {
				t.Error("the verifiers before were changed in place")
			}
		})
	}
}

func TestStage(t *testing.T) {
	pepper, other := newPepper(t, 1), newPepper(t, 2)
	verifier := func(secret string, expires time.Time) credential.Verifier {
		return credential.Verifier{Digest: digestOf(pepper, secret), PepperID: pepper.ID(), PublishedAt: noon, ExpiresAt: expires}
	}
	successor := credential.Verifier{Digest: digestOf(pepper, "new"), PepperID: pepper.ID()}
	forgotten := credential.Verifier{Digest: digestOf(pepper, "never published"), PepperID: pepper.ID()}
	current := verifier("current", time.Time{})
	expiring := func(n int) credential.Verifier {
		return verifier(string(rune('a'+n)), noon.Add(time.Duration(n)*time.Hour))
	}
	for _, row := range []struct {
		name   string
		before credential.Verifiers
		want   credential.Verifiers
	}{
		{name: "a successor comes first", want: credential.Verifiers{successor}},
		{
			name:   "what workloads hold gets no end",
			before: credential.Verifiers{current, expiring(3)}, want: credential.Verifiers{successor, current, expiring(3)},
		},
		{
			name:   "one that was staged before comes last",
			before: credential.Verifiers{forgotten, current, expiring(3)},
			want:   credential.Verifiers{successor, current, expiring(3), forgotten},
		},
		{
			name:   "staging again changes nothing",
			before: credential.Verifiers{successor, current}, want: credential.Verifiers{successor, current},
		},
		{
			name:   "what has expired or is of another pepper is dropped",
			before: credential.Verifiers{current, expiring(0), {Digest: digestOf(other, "x"), PepperID: other.ID()}},
			want:   credential.Verifiers{successor, current},
		},
		{
			name:   "beyond the bound, the current one is the last to go",
			before: credential.Verifiers{expiring(1), expiring(2), expiring(3), expiring(4), expiring(5), expiring(6), forgotten, current},
			want:   credential.Verifiers{successor, current, expiring(6), expiring(5), expiring(4), expiring(3), expiring(2), expiring(1)},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := row.before.Stage(pepper, successor.Digest, noon)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if !got.Staged(pepper, successor.Digest) || got.Staged(pepper, current.Digest) || got.Staged(other, successor.Digest) {
				t.Error("Staged does not tell the successor from the others")
			}
		})
	}
}

// TestPromotedTimesSurviveTheAPI: the API stores whole seconds, so what is written must equal what is read back.
func TestPromotedTimesSurviveTheAPI(t *testing.T) {
	pepper := newPepper(t, 1)
	first := credential.Verifiers(nil).Promote(pepper, digestOf(pepper, "a"), noon, overlap)
	second := first.Promote(pepper, digestOf(pepper, "b"), noon.Add(999*time.Millisecond), overlap)
	if ends, published := second[1].ExpiresAt, second[0].PublishedAt; !ends.Equal(noon.Add(overlap)) || !published.Equal(noon) {
		t.Errorf("got %v", second)
	}
}

// TestPromoteProperties holds Promote to what it promises, over generated lists.
func TestPromoteProperties(t *testing.T) {
	const seed = 20260301
	random := rand.New(rand.NewPCG(seed, seed))
	pepper, other := newPepper(t, 1), newPepper(t, 2)
	for run := range 5000 {
		before := generateVerifiers(random, pepper, other)
		now := noon.Add(time.Duration(random.Int64N(int64(time.Minute))))
		secret := string(rune('a' + random.IntN(12)))
		digest := digestOf(pepper, secret)
		after := before.Promote(pepper, digest, now, overlap)

		if after[0].Digest != digest || !after[0].ExpiresAt.IsZero() || after[0].PepperID != pepper.ID() {
			t.Fatalf("run %d: the new digest is not current and first: %v", run, after)
		}
		if len(after) > most {
			t.Fatalf("run %d: %d verifiers", run, len(after))
		}
		for i, verifier := range after[1:] {
			if verifier.ExpiresAt.IsZero() || !now.Before(verifier.ExpiresAt) || verifier.ExpiresAt.After(now.Add(overlap)) {
				t.Fatalf("run %d: a replaced secret lives until %v", run, verifier.ExpiresAt)
			}
			if i > 0 && after[i].ExpiresAt.Before(verifier.ExpiresAt) {
				t.Fatalf("run %d: not in order: %v", run, after)
			}
		}
		checkSurvivors(t, before, after, now, pepper)
		if again := after.Promote(pepper, digest, now, overlap); !slices.Equal(again, after) {
			t.Fatalf("run %d: not idempotent: %v, then %v", run, after, again)
		}
	}
}

// checkSurvivors: whatever verified before goes on to do so until its own end or that of the overlap, unless the bound left
// no room for it, and then everything that stayed lives at least as long.
func checkSurvivors(t *testing.T, before, after credential.Verifiers, now time.Time, pepper credential.Pepper) {
	t.Helper()
	for _, old := range before {
		if !before.Has(pepper, old.Digest, now) || old.PepperID != pepper.ID() {
			continue
		}
		end := old.ExpiresAt
		if end.IsZero() {
			end = now.Add(overlap).Truncate(time.Second)
		}
		if after.Has(pepper, old.Digest, end.Add(-1)) || !now.Before(end) {
			continue
		}
		if len(after) < most || after[most-1].ExpiresAt.Before(end) {
			t.Fatalf("%v does not live until %v: %v", old, end, after)
		}
	}
}

// generateVerifiers gives up to 8 verifiers of different secrets: current, expiring or expired, most of one pepper.
func generateVerifiers(random *rand.Rand, pepper, other credential.Pepper) credential.Verifiers {
	var all credential.Verifiers
	for _, i := range random.Perm(12)[:random.IntN(most+1)] {
		with := pepper
		if random.IntN(6) == 0 {
			with = other
		}
		verifier := credential.Verifier{Digest: digestOf(with, string(rune('a'+i))), PepperID: with.ID()}
		if random.IntN(4) > 0 {
			verifier.ExpiresAt = noon.Add(time.Duration(random.IntN(30*3600)-6*3600) * time.Second)
		}
		all = append(all, verifier)
	}
	return all
}
