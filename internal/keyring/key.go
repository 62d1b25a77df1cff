// SPDX-License-Identifier: Apache-2.0

// Package keyring holds the keys that tokens are signed with: how they are made, stored, chosen and published, and when they
// come and go.
package keyring

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/claviger/claviger/internal/credential"
)

// longestLifetime is that of any token there ever was.
const longestLifetime = credential.LongestTokenExpiryMinutes * time.Minute

// Key signs tokens. Its ID is the RFC 7638 thumbprint of its public half, so two keys never share one and a key never
// changes it. The private half is held by a closure, so that no verb and no encoder prints it.
type Key struct {
	ID string
	// Algorithm is the one that the key signs with: one of Algorithms.
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

	public  crypto.PublicKey
	private func() crypto.Signer // nil in a key that only verifies
}

// Generate makes a new key for an algorithm, that signs at once. Since Go 1.26 the packages of crypto draw from the system's
// randomness whatever the reader, outside of tests that ask otherwise.
func Generate(algorithm string, random io.Reader, now time.Time) (Key, error) {
	private, err := generatePrivate(algorithm, random)
	if err != nil {
		return Key{}, fmt.Errorf("generating a signing key: %w", err)
	}
	key, err := newSigningKey(private)
	key.CreatedAt = now.UTC().Truncate(time.Second)
	key.SignFrom = key.CreatedAt
	return key, err
}

func newSigningKey(private crypto.Signer) (Key, error) {
	key, err := newKey(private.Public())
	key.private = func() crypto.Signer { return private }
	return key, err
}

// newKey makes a key that only verifies. It fails where the key is for none of Algorithms.
func newKey(public crypto.PublicKey) (Key, error) {
	algorithm := algorithmOf(public)
	if algorithm == "" {
		return Key{}, errors.New("not a key for " + strings.Join(Algorithms(), ", "))
	}
	thumbprint, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("naming a signing key: %w", err)
	}
	return Key{ID: base64.RawURLEncoding.EncodeToString(thumbprint), Algorithm: algorithm, public: public}, nil
}

// Private is the half that signs.
func (k Key) Private() crypto.Signer { return k.private() }

// Public is the half that verifies.
func (k Key) Public() crypto.PublicKey { return k.public }

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
