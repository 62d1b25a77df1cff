// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

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
	ring := &Ring{keys: newestFirst(keys)}
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

// Signer gives the key that signs at that time. So a switch needs no write: every replica makes it by its own clock, with a
// key that it has known for long.
func (r *Ring) Signer(now time.Time) Key { return r.keys[signing(r.keys, now)] }

// Next gives the key that will sign after the one that signs at that time, where it is published already.
func (r *Ring) Next(now time.Time) (Key, bool) {
	next := signing(r.keys, now) - 1
	if next < 0 {
		return Key{}, false
	}
	return r.keys[next], true
}

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

// newestFirst gives the keys in order of the time from which they sign.
func newestFirst(keys []Key) []Key {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b Key) int { return b.SignFrom.Compare(a.SignFrom) })
	return keys
}

// signing gives the index of the key that signs, in keys that are newest first: the newest whose time has come or, where none
// has, the oldest, so that a clock that is behind finds one too.
func signing(keys []Key, now time.Time) int {
	for i, key := range keys {
		if !key.SignFrom.After(now) {
			return i
		}
	}
	return len(keys) - 1
}
