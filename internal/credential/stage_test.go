// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

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
	all := func(hours []int) (verifiers credential.Verifiers) {
		for _, hour := range hours {
			verifiers = append(verifiers, expiring(hour))
		}
		return verifiers
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
			before: append(all(shuffled(2)), forgotten, current),
			want:   append(credential.Verifiers{successor, current}, all(fromLast(2))...),
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
