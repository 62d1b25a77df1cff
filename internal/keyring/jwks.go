// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// MaxAge is for how long who fetched a JWK set may keep it. A key is published for at least twice as long before it signs, so
// that one fetch in time may fail.
const MaxAge = 5 * time.Minute

// ParseJWKS makes a ring of a JSON Web Key Set that JWKS gave, for those who have no private key and verify tokens all the
// same. Its keys verify and never sign: nobody may ask it for a Signer. Keys for other algorithms, and keys whose ID is not
// their thumbprint, are not of Claviger and are left out.
func ParseJWKS(raw []byte) (*Ring, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, errors.New("this is not a JSON Web Key Set")
	}
	var keys []Key
	for _, entry := range set.Keys {
		key, err := newKey(entry.Key) // fails for a private one, too, which nobody should publish
		if err == nil && key.ID == entry.KeyID && key.Algorithm == entry.Algorithm {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the JSON Web Key Set has no key for " + strings.Join(Algorithms(), ", "))
	}
	return NewRing(keys...)
}
