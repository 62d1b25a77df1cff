// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// maxVerifiers is the API's bound on status.verifiers.
const maxVerifiers = 16

// Verifier verifies one client secret until it expires.
type Verifier struct {
	Digest   Digest
	PepperID string
	// PublishedAt is zero while the secret was only prepared.
	PublishedAt time.Time
	// ExpiresAt is zero until a successor is published.
	ExpiresAt time.Time
}

// SecretID names the secret in tokens that are taken with it. It is a hash of the digest, so it says nothing about the secret
// even to somebody who has the pepper.
func (v Verifier) SecretID() string {
	sum := sha256.Sum256(v.Digest[:])
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (v Verifier) liveAt(now time.Time) bool {
	return v.ExpiresAt.IsZero() || now.Before(v.ExpiresAt)
}

// compare orders by what is dearer: what was published before what was only prepared, then what lives longer.
func (v Verifier) compare(other Verifier) int {
	if v.PublishedAt.IsZero() != other.PublishedAt.IsZero() {
		return other.PublishedAt.Compare(v.PublishedAt)
	}
	if v.ExpiresAt.IsZero() || other.ExpiresAt.IsZero() {
		return v.ExpiresAt.Compare(other.ExpiresAt)
	}
	return other.ExpiresAt.Compare(v.ExpiresAt)
}

// Verifiers are all that a client's secrets are checked against.
type Verifiers []Verifier

// Has reports whether the digest, of that pepper, verifies at that time. It compares with every verifier in constant
// time and does not stop at a match.
func (v Verifiers) Has(pepper Pepper, digest Digest, now time.Time) bool {
	matches := 0
	for _, verifier := range v {
		if verifier.PepperID == pepper.ID() && verifier.liveAt(now) {
			matches |= subtle.ConstantTimeCompare(verifier.Digest[:], digest[:])
		}
	}
	return matches == 1
}

// Verify reports whether the secret presented is one of this client's, and gives the ID that tokens taken with it carry.
func (c *Client) Verify(pepper Pepper, secret oauth.Secret, now time.Time) (secretID string, ok bool) {
	presented := Verifier{Digest: pepper.Digest(c.UID, c.ID, secret)}
	return presented.SecretID(), c.Verifiers.Has(pepper, presented.Digest, now)
}

// HasSecretID reports whether the secret of that ID still verifies at that time.
func (v Verifiers) HasSecretID(id string, now time.Time) bool {
	return slices.ContainsFunc(v, func(verifier Verifier) bool { return verifier.liveAt(now) && verifier.SecretID() == id })
}

// KnowsPepper reports whether any verifier was made with the pepper: only then does a digest that does not match mean
// that the secret is another one.
func (v Verifiers) KnowsPepper(pepper Pepper) bool {
	return slices.ContainsFunc(v, func(verifier Verifier) bool { return verifier.PepperID == pepper.ID() })
}

// rank gives the place of a digest that verifies: 0 is the current secret or its successor.
func (v Verifiers) rank(pepper Pepper, digest Digest, now time.Time) (int, bool) {
	index := slices.IndexFunc(v, func(verifier Verifier) bool {
		return verifier.PepperID == pepper.ID() && verifier.Digest == digest && verifier.liveAt(now)
	})
	return index, index >= 0
}

// publishedAt gives when the secret of that digest was published, or zero.
func (v Verifiers) publishedAt(pepper Pepper, digest Digest) time.Time {
	for _, verifier := range v {
		if verifier.PepperID == pepper.ID() && verifier.Digest == digest {
			return verifier.PublishedAt
		}
	}
	return time.Time{}
}

// endless reports whether the secret of that digest verifies without end.
func (v Verifiers) endless(pepper Pepper, digest Digest) bool {
	return slices.ContainsFunc(v, func(verifier Verifier) bool {
		return verifier.PepperID == pepper.ID() && verifier.Digest == digest && verifier.ExpiresAt.IsZero()
	})
}

// Stage prepares a successor: its digest comes first, and verifies. Nobody has the secret yet, so nothing else gets an
// end: what workloads hold goes on working for as long as it takes to publish the successor, and the overlap from then.
func (v Verifiers) Stage(pepper Pepper, digest Digest, now time.Time) Verifiers {
	return v.lead(Verifier{Digest: digest, PepperID: pepper.ID()}, now)
}

// Staged reports whether the digest is that of a secret that was prepared and never published.
func (v Verifiers) Staged(pepper Pepper, digest Digest) bool {
	return slices.Contains(v, Verifier{Digest: digest, PepperID: pepper.ID()})
}

// Adopt notes that workloads hold the secret of that digest: it is the current one, without end. Nothing else gets an end, for
// workloads may hold that too until a Secret is published.
func (v Verifiers) Adopt(pepper Pepper, digest Digest, now time.Time) Verifiers {
	// Whole seconds, as the API stores them: what is written must equal what is read back.
	current := Verifier{Digest: digest, PepperID: pepper.ID(), PublishedAt: now.Truncate(time.Second)}
	// A clock that was ahead may have written a time that has yet to come.
	if published := v.publishedAt(pepper, digest); !published.IsZero() && !published.After(now.Add(maxClockSkew)) {
		current.PublishedAt = published
	}
	return v.lead(current, now)
}

// Promote notes that the Secret holds the secret of that digest: it is the current one, without end. Every other ends when
// the overlap from now does, if it does not end before: so does one whose end was set for a longer overlap, or by a clock
// that was ahead.
func (v Verifiers) Promote(pepper Pepper, digest Digest, now time.Time, overlap time.Duration) Verifiers {
	others := slices.Clone(v)
	for i := range others {
		other := &others[i]
		if end := now.Add(overlap); other.ExpiresAt.IsZero() || other.ExpiresAt.After(end) {
			other.ExpiresAt = end.Truncate(time.Second)
		}
	}
	return others.Adopt(pepper, digest, now)
}

// lead puts a verifier before the others. What has expired, or was made with another pepper and so can never match again,
// is dropped. Beyond the API's bound, what was never published goes first, then what would expire first.
func (v Verifiers) lead(first Verifier, now time.Time) Verifiers {
	all := Verifiers{first}
	for _, other := range v {
		if other.PepperID == first.PepperID && other.liveAt(now) && other.Digest != first.Digest {
			all = append(all, other)
		}
	}
	slices.SortStableFunc(all[1:], Verifier.compare)
	return all[:min(len(all), maxVerifiers)]
}

// PreviousExpiry gives the time until which the secret that was replaced last works, or zero where none does.
func (v Verifiers) PreviousExpiry() time.Time {
	var last time.Time
	for _, verifier := range v {
		if !verifier.PublishedAt.IsZero() && verifier.ExpiresAt.After(last) {
			last = verifier.ExpiresAt
		}
	}
	return last
}

// NextExpiry gives the first time after now at which a verifier expires, or zero.
func (v Verifiers) NextExpiry(now time.Time) time.Time {
	var next time.Time
	for _, verifier := range v {
		if verifier.ExpiresAt.After(now) && (next.IsZero() || verifier.ExpiresAt.Before(next)) {
			next = verifier.ExpiresAt
		}
	}
	return next
}

// ReadVerifiers reads status.verifiers. An entry that is not well-formed verifies nothing and is left out.
func ReadVerifiers(entries []v1alpha1.SecretVerifier) Verifiers {
	verifiers := make(Verifiers, 0, len(entries))
	for _, entry := range entries {
		raw, err := base64.RawURLEncoding.DecodeString(entry.Digest)
		if err != nil || len(raw) != len(Digest{}) {
			continue
		}
		verifier := Verifier{Digest: Digest(raw), PepperID: entry.PepperID}
		if entry.PublishedAt != nil {
			verifier.PublishedAt = entry.PublishedAt.Time
		}
		if entry.ExpiresAt != nil {
			verifier.ExpiresAt = entry.ExpiresAt.Time
		}
		verifiers = append(verifiers, verifier)
	}
	return verifiers
}

// Write gives the form that ReadVerifiers reads.
func (v Verifiers) Write() []v1alpha1.SecretVerifier {
	entries := make([]v1alpha1.SecretVerifier, 0, len(v))
	for _, verifier := range v {
		entry := v1alpha1.SecretVerifier{
			Digest:   base64.RawURLEncoding.EncodeToString(verifier.Digest[:]),
			PepperID: verifier.PepperID,
		}
		entry.PublishedAt = apiTime(verifier.PublishedAt)
		entry.ExpiresAt = apiTime(verifier.ExpiresAt)
		entries = append(entries, entry)
	}
	return entries
}

func apiTime(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.Truncate(time.Second)} // as the API stores it
}
