// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

// noon is the time at which a test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The EC key of RFC 7517 appendix A.2, and its thumbprint (RFC 7638), computed without our code.
const (
	rfcX          = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
	rfcY          = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
	rfcD          = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"
	rfcThumbprint = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"
)

// rfcJWK gives that key as a JWK, with some members changed or, where they are nil, left out.
func rfcJWK(changes map[string]any) map[string]any {
	jwk := map[string]any{"kty": "EC", "crv": "P-256", "x": rfcX, "y": rfcY, "d": rfcD, "alg": "ES256", "use": "sig", "kid": "any"}
	maps.Copy(jwk, changes)
	maps.DeleteFunc(jwk, func(_ string, value any) bool { return value == nil })
	return jwk
}

// stored gives the data of a signing-keys Secret that holds these JWKs, each a second newer than the one before.
func stored(t *testing.T, jwks ...map[string]any) map[string][]byte {
	t.Helper()
	records := []any{}
	for i, jwk := range jwks {
		records = append(records, map[string]any{"createdAt": noon.Add(time.Duration(i) * time.Second), "jwk": jwk})
	}
	raw, err := json.Marshal(map[string]any{"keys": records})
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"keys.json": raw}
}

// generate makes a key for ES256 that is so many hours younger than noon.
func generate(t *testing.T, hours int) keyring.Key {
	t.Helper()
	return generateFor(t, keyring.AlgorithmES256, hours)
}

// generateFor makes a key for an algorithm. Go ignores any other source of randomness.
func generateFor(t *testing.T, algorithm string, hours int) keyring.Key {
	t.Helper()
	key, err := keyring.Generate(algorithm, rand.Reader, noon.Add(time.Duration(hours)*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRing(t *testing.T, keys ...keyring.Key) *keyring.Ring {
	t.Helper()
	ring, err := keyring.NewRing(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// jwks reads the public set of a ring.
func jwks(ring *keyring.Ring) ([]map[string]string, error) {
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
		return nil, fmt.Errorf("%s: %w", ring.JWKS(), err)
	}
	return set.Keys, nil
}
