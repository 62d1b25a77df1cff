// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// generated gives a client secret that differs with the seed.
func generated(t *testing.T, seed byte) string {
	t.Helper()
	secret, err := credential.GenerateSecret(randomness(seed))
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

func TestMakePlan(t *testing.T) {
	pepper, oldPepper := newPepper(t, 1), newPepper(t, 2)
	one, two, fresh := generated(t, 11), generated(t, 12), generated(t, 99)
	const uid, id = "uid", "acme.orders"
	verifier := func(pepper credential.Pepper, secret string, expires time.Time) credential.Verifier {
		return credential.Verifier{Digest: pepper.Digest(uid, id, oauth.NewClientSecret(secret)), PepperID: pepper.ID(), PublishedAt: noon, ExpiresAt: expires}
	}
	prepared := func(secret string) credential.Verifier {
		return credential.Verifier{Digest: pepper.Digest(uid, id, oauth.NewClientSecret(secret)), PepperID: pepper.ID()}
	}
	current := func(secret string) credential.Verifier { return verifier(pepper, secret, time.Time{}) }
	ending := func(verifier credential.Verifier) credential.Verifier {
		verifier.ExpiresAt = noon.Add(overlap)
		return verifier
	}
	expiring := func(secret string) credential.Verifier { return verifier(pepper, secret, noon.Add(overlap)) }
	expired := verifier(pepper, two, noon)

	for _, row := range []struct {
		name      string
		published string
		verifiers credential.Verifiers
		prepared  string
		secret    string
		staged    credential.Verifiers
		want      credential.Verifiers
	}{
		{
			name:   "a new credential gets a secret, which is published before it is verified",
			secret: fresh, want: credential.Verifiers{current(fresh)},
		},
		{
			name:      "the current secret stays",
			published: one, verifiers: credential.Verifiers{current(one)},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name:      "the current secret stays, and so do those that were replaced",
			published: one, verifiers: credential.Verifiers{current(one), expiring(two)},
			secret: one, want: credential.Verifiers{current(one), expiring(two)},
		},
		{
			name:      "what has expired is dropped",
			published: one, verifiers: credential.Verifiers{current(one), expired},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name:      "a generated secret is adopted where the status was wiped, or dying came between the first two writes",
			published: one,
			secret:    one, want: credential.Verifiers{current(one)},
		},
		{
			name:      "a generated secret is adopted where the pepper was replaced",
			published: one, verifiers: credential.Verifiers{verifier(oldPepper, one, time.Time{}), verifier(oldPepper, two, noon.Add(time.Hour))},
			secret: one, want: credential.Verifiers{current(one)},
		},
		{
			name:      "a deleted Secret is replaced, and the old secret works for the overlap",
			verifiers: credential.Verifiers{current(one)},
			secret:    fresh, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:      "an edited Secret is replaced",
			published: "hunter2", verifiers: credential.Verifiers{current(one)},
			secret: fresh, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:      "a generated secret of another's is replaced",
			published: two, verifiers: credential.Verifiers{current(one)},
			secret: fresh, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:      "an old secret that was put back becomes current again while it still works",
			published: two, verifiers: credential.Verifiers{current(one), verifier(pepper, two, noon.Add(time.Nanosecond))},
			secret: two, want: credential.Verifiers{current(two), expiring(one)},
		},
		{
			name:      "a successor that was staged and that nobody ever got gives way to what workloads hold",
			published: one, verifiers: credential.Verifiers{prepared(two), current(one)},
			secret: one, want: credential.Verifiers{current(one), ending(prepared(two))},
		},
		{
			name:      "a successor that was published, and noted by nobody, is the current one: the overlap begins",
			published: two, verifiers: credential.Verifiers{prepared(two), current(one)},
			secret: two, want: credential.Verifiers{current(two), expiring(one)},
		},
		{
			name:      "a successor that could not be published is taken up again",
			verifiers: credential.Verifiers{prepared(two), current(one)}, prepared: two,
			secret: two, staged: credential.Verifiers{prepared(two), current(one)}, want: credential.Verifiers{current(two), expiring(one)},
		},
		{
			name:      "a successor that the status does not know of is not taken up",
			verifiers: credential.Verifiers{current(one)}, prepared: two,
			secret: fresh, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:      "a secret that was published is nobody's successor",
			verifiers: credential.Verifiers{current(one), expiring(two)}, prepared: two,
			secret: fresh, staged: credential.Verifiers{prepared(fresh), current(one), expiring(two)},
			want: credential.Verifiers{current(fresh), expiring(one), expiring(two)},
		},
		{
			name:      "an old secret that was put back after its overlap is replaced",
			published: two, verifiers: credential.Verifiers{current(one), expired},
			secret: fresh, staged: credential.Verifiers{prepared(fresh), current(one)}, want: credential.Verifiers{current(fresh), expiring(one)},
		},
		{
			name:      "a secret that is not generated is never adopted, even where nothing is verified",
			published: "hunter2",
			secret:    fresh, want: credential.Verifiers{current(fresh)},
		},
		{
			name:      "a damaged secret is never adopted",
			published: one[:len(one)-1],
			secret:    fresh, want: credential.Verifiers{current(fresh)},
		},
		{
			name:      "a deleted Secret under another pepper is replaced, verifiers first",
			verifiers: credential.Verifiers{verifier(oldPepper, one, time.Time{})},
			secret:    fresh, staged: credential.Verifiers{prepared(fresh)}, want: credential.Verifiers{current(fresh)},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := &credential.Client{UID: uid, ID: id, Verifiers: row.verifiers}
			plan, err := credential.MakePlan(randomness(99), credential.Observed{
				Client: client, Pepper: pepper, Published: row.published, Prepared: oauth.NewClientSecret(row.prepared), Now: noon,
			})
			if err != nil {
				t.Fatal(err)
			}
			if plan.Secret.Reveal() != row.secret {
				t.Errorf("got secret %q, want %q", plan.Secret.Reveal(), row.secret)
			}
			if !slices.Equal(plan.Staged, row.staged) || plan.Replaces() != (row.staged != nil) {
				t.Errorf("got staged %v, want %v", plan.Staged, row.staged)
			}
			if !slices.Equal(plan.Published, row.want) {
				t.Errorf("got verifiers %v, want %v", plan.Published, row.want)
			}
		})
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
	plan, err = credential.MakePlan(brokenRandomness(), credential.Observed{Client: client, Pepper: pepper, Published: one, Now: noon})
	if err != nil || plan.Secret.Reveal() != one {
		t.Errorf("got %v, %v", plan, err)
	}
}
