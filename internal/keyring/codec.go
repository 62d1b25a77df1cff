// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// dataKey is the key of the signing-keys Secret that holds the document.
const dataKey = "keys.json"

// document is how a ring is stored. Keys are private JWKs (RFC 7517), so that any JOSE library can read them.
type document struct {
	Keys []record `json:"keys"`
}

type record struct {
	CreatedAt time.Time       `json:"createdAt"`
	JWK       jose.JSONWebKey `json:"jwk"`
}

// Encode gives the data of a signing-keys Secret.
func Encode(keys ...Key) (map[string][]byte, error) {
	var stored document
	for _, key := range keys {
		stored.Keys = append(stored.Keys, record{CreatedAt: key.CreatedAt, JWK: key.privateJWK()})
	}
	raw, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encoding the signing keys: %w", err)
	}
	return map[string][]byte{dataKey: raw}, nil
}

// Decode reads what Encode wrote. Its errors never hold what it read.
func Decode(data map[string][]byte) (*Ring, error) {
	var stored document
	if err := json.Unmarshal(data[dataKey], &stored); err != nil {
		return nil, errors.New("the signing keys are not a JSON document of this version")
	}
	keys := make([]Key, 0, len(stored.Keys))
	for i, entry := range stored.Keys {
		private, ok := entry.JWK.Key.(*ecdsa.PrivateKey)
		if !ok || entry.JWK.Algorithm != AlgorithmES256 || !isSound(private) {
			return nil, fmt.Errorf("signing key %d is not a private key for %s", i, AlgorithmES256)
		}
		key, err := newKey(private, entry.CreatedAt)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return NewRing(keys...)
}

// isSound reports whether a key is on P-256 and its two halves belong together. The JOSE library checks neither, and a
// ring with another key would sign nothing, or tokens that nobody can verify.
func isSound(private *ecdsa.PrivateKey) bool {
	raw, err := private.Bytes()
	if err != nil {
		return false
	}
	derived, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	return err == nil && derived.PublicKey.Equal(&private.PublicKey)
}
