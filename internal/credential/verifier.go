// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

const (
	// DefaultOverlap is how long a secret that has been replaced goes on working.
	DefaultOverlap = 24 * time.Hour
	// maxVerifiers is the API's bound on status.verifiers.
	maxVerifiers = 8
)

// Verifier verifies one client secret until it expires.
type Verifier struct {
	Digest   Digest
	PepperID string
	// PublishedAt is zero while the secret was only prepared.
	PublishedAt time.Time
	// ExpiresAt is zero for the current secret.
	ExpiresAt time.Time
}

func (v Verifier) liveAt(now time.Time) bool {
	return v.ExpiresAt.IsZero() || now.Before(v.ExpiresAt)
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

// Verify reports whether this client's secret is the one presented.
func (c *Client) Verify(pepper Pepper, secret oauth.ClientSecret, now time.Time) bool {
	return c.Verifiers.Has(pepper, pepper.Digest(c.UID, c.ID, secret), now)
}

// KnowsPepper reports whether any verifier was made with the pepper: only then does a digest that does not match mean
// that the secret is another one.
func (v Verifiers) KnowsPepper(pepper Pepper) bool {
	return slices.ContainsFunc(v, func(verifier Verifier) bool { return verifier.PepperID == pepper.ID() })
}

// Promote makes the digest the current secret's. What was current before expires after the overlap; what has expired,
// or was made with another pepper and so can never match again, is dropped. Beyond the API's bound, what was never
// published goes first, then what would expire first.
func (v Verifiers) Promote(pepper Pepper, digest Digest, now time.Time, overlap time.Duration) Verifiers {
	promoted := Verifiers{{Digest: digest, PepperID: pepper.ID()}}
	for _, old := range v {
		if old.PepperID != pepper.ID() || !old.liveAt(now) {
			continue
		}
		if old.Digest == digest {
			promoted[0].PublishedAt = old.PublishedAt
			continue
		}
		if old.ExpiresAt.IsZero() {
			// Whole seconds, as the API stores them: what is written must equal what is read back.
			old.ExpiresAt = now.Add(overlap).Truncate(time.Second)
		}
		promoted = append(promoted, old)
	}
	slices.SortStableFunc(promoted[1:], func(a, b Verifier) int {
		if a.PublishedAt.IsZero() != b.PublishedAt.IsZero() {
			return cmp.Compare(b.PublishedAt.Unix(), a.PublishedAt.Unix())
		}
		return cmp.Compare(b.ExpiresAt.Unix(), a.ExpiresAt.Unix())
	})
	return promoted[:min(len(promoted), maxVerifiers)]
}

// Published notes that the Secret holds the current secret.
func (v Verifiers) Published(now time.Time) Verifiers {
	published := slices.Clone(v)
	if len(published) > 0 && published[0].PublishedAt.IsZero() {
		published[0].PublishedAt = now.Truncate(time.Second)
	}
	return published
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
	return &metav1.Time{Time: t}
}
