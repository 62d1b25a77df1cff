// SPDX-License-Identifier: Apache-2.0

// Package keyring holds the keys that tokens are signed with: how they are made, stored, chosen and published.
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
)

// AlgorithmES256 is ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
const AlgorithmES256 = string(jose.ES256)

// Key signs tokens. Its ID is the RFC 7638 thumbprint of its public half, so two keys never share one and a key never
// changes it. The private half is held by a closure, so that no verb and no encoder prints it.
type Key struct {
	ID        string
	Algorithm string
	CreatedAt time.Time
	private   func() *ecdsa.PrivateKey
}

// Generate makes a new ES256 key. Since Go 1.26 crypto/ecdsa draws from the system's randomness whatever the reader, outside
// of tests that ask otherwise.
func Generate(random io.Reader, now time.Time) (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return Key{}, fmt.Errorf("generating a signing key: %w", err)
	}
	return newKey(private, now.UTC().Truncate(time.Second))
}

func newKey(private *ecdsa.PrivateKey, createdAt time.Time) (Key, error) {
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("naming a signing key: %w", err)
	}
	return Key{
		ID:        base64.RawURLEncoding.EncodeToString(thumbprint),
		Algorithm: AlgorithmES256,
		CreatedAt: createdAt,
		private:   func() *ecdsa.PrivateKey { return private },
	}, nil
}

// Private is the half that signs.
func (k Key) Private() crypto.Signer { return k.private() }

// Public is the half that verifies.
func (k Key) Public() crypto.PublicKey { return k.private().Public() }

func (k Key) publicJWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
}

func (k Key) privateJWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
}
