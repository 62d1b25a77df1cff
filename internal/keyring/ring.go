// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Ring is a set of keys, immutable and never empty: one signs, all verify, all are published.
type Ring struct {
	keys []Key // newest first
	jwks []byte
}

// NewRing makes a ring of at least one key.
func NewRing(keys ...Key) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("a key ring needs a key")
	}
	ring := &Ring{keys: slices.Clone(keys)}
	slices.SortStableFunc(ring.keys, func(a, b Key) int { return b.CreatedAt.Compare(a.CreatedAt) })
	set := jose.JSONWebKeySet{}
	for _, key := range ring.keys {
		set.Keys = append(set.Keys, key.publicJWK())
	}
	jwks, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encoding the JWK set: %w", err)
	}
	ring.jwks = jwks
	return ring, nil
}

// Signer gives the key that new tokens are signed with: the newest.
func (r *Ring) Signer() Key { return r.keys[0] }

// Lookup finds a key by its ID.
func (r *Ring) Lookup(id string) (Key, bool) {
	for _, key := range r.keys {
		if key.ID == id {
			return key, true
		}
	}
	return Key{}, false
}

// JWKS gives the JSON Web Key Set (RFC 7517 section 5) of all public halves. The caller must not change it.
func (r *Ring) JWKS() []byte { return r.jwks }
