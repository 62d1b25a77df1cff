// SPDX-License-Identifier: Apache-2.0

// Package keyring holds the keys that tokens are signed with: how they are made, stored, chosen and published, and when they
// come and go.
package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/claviger/claviger/internal/credential"
)

// AlgorithmES256 is ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
const AlgorithmES256 = string(jose.ES256)

// Algorithms are those that tokens may be signed with.
func Algorithms() []string { return []string{AlgorithmES256} }

// longestLifetime is that of any token there ever was.
const longestLifetime = credential.LongestTokenExpiryMinutes * time.Minute

// Key signs tokens. Its ID is the RFC 7638 thumbprint of its public half, so two keys never share one and a key never
// changes it. The private half is held by a closure, so that no verb and no encoder prints it.
type Key struct {
	ID        string
	Algorithm string
	CreatedAt time.Time
	// SignFrom is when the key begins to sign, and the one before it ceases to.
	SignFrom time.Time
	// MaxTokenLifetime bounds the lifetime of every token that the key has signed. Zero where it was not noted: the longest
	// that there is.
	MaxTokenLifetime time.Duration
	// RemoveAfter is when the key goes, because its last token had expired when that was noted, an hour before. ResetAfter is
	// when its SignFrom is brought back, because it was too far ahead then. Zero where nothing is noted.
	RemoveAfter, ResetAfter time.Time

	private func() *ecdsa.PrivateKey
}

// Generate makes a new ES256 key that signs at once. Since Go 1.26 crypto/ecdsa draws from the system's randomness whatever
// the reader, outside of tests that ask otherwise.
func Generate(random io.Reader, now time.Time) (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return Key{}, fmt.Errorf("generating a signing key: %w", err)
	}
	key, err := newKey(private)
	key.CreatedAt = now.UTC().Truncate(time.Second)
	key.SignFrom = key.CreatedAt
	return key, err
}

func newKey(private *ecdsa.PrivateKey) (Key, error) {
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("naming a signing key: %w", err)
	}
	return Key{
		ID:        base64.RawURLEncoding.EncodeToString(thumbprint),
		Algorithm: AlgorithmES256,
		private:   func() *ecdsa.PrivateKey { return private },
	}, nil
}

// Private is the half that signs.
func (k Key) Private() crypto.Signer { return k.private() }

// Public is the half that verifies.
func (k Key) Public() crypto.PublicKey { return k.private().Public() }

// tokenLifetime bounds the lifetime of every token that the key has signed.
func (k Key) tokenLifetime() time.Duration {
	if k.MaxTokenLifetime == 0 {
		return longestLifetime
	}
	return k.MaxTokenLifetime
}

func (k Key) publicJWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
}

func (k Key) privateJWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
}
