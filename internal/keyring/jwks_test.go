// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/keyring"
)

// TestParseJWKS: whoever reads what a ring publishes verifies with the same keys.
func TestParseJWKS(t *testing.T) {
	young, old := generate(t, 0), generate(t, -1)
	published := newRing(t, old, young)
	ring, err := keyring.ParseJWKS(published.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []keyring.Key{young, old} {
		found, ok := ring.Lookup(key.ID)
		if !ok || found.Algorithm != keyring.AlgorithmES256 {
			t.Fatalf("the key of %v is not found", key.SignFrom)
		}
		if !reflect.DeepEqual(key.Public(), found.Public()) {
			t.Errorf("the key of %v has another public half", key.SignFrom)
		}
	}
	if got := string(ring.JWKS()); got != string(published.JWKS()) {
		t.Errorf("published again it is %s", got)
	}
}

func TestParseJWKSOfOthers(t *testing.T) {
	public := func(changes map[string]any) map[string]any {
		jwk := rfcJWK(map[string]any{"d": nil, "kid": rfcThumbprint})
		for member, value := range changes {
			jwk[member] = value
		}
		return jwk
	}
	for _, row := range []struct {
		name string
		keys []any
		good bool
	}{
		{"one key is enough", []any{public(nil)}, true},
		{"a key of ours among others is found", []any{public(map[string]any{"kid": "other"}), public(nil)}, true},
		{"no key", []any{}, false},
		{"a key whose ID is not its thumbprint", []any{public(map[string]any{"kid": "M9-2LuC"})}, false},
		{"a key for another algorithm", []any{public(map[string]any{"alg": "ES384"})}, false},
		{"a key that does not say for which algorithm it is", []any{public(map[string]any{"alg": ""})}, false},
		{"a key that is not on its curve", []any{public(map[string]any{"y": rfcX})}, false},
		{"a symmetric key", []any{map[string]any{"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMko", "alg": "ES256", "kid": "k"}}, false},
		{"a private key, which nobody should publish", []any{rfcJWK(map[string]any{"kid": rfcThumbprint})}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw, err := json.Marshal(map[string]any{"keys": row.keys})
			if err != nil {
				t.Fatal(err)
			}
			ring, err := keyring.ParseJWKS(raw)
			if (err == nil) != row.good {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			if _, found := ring.Lookup(rfcThumbprint); !found || strings.Count(string(ring.JWKS()), `"kid"`) != 1 {
				t.Errorf("got %s", ring.JWKS())
			}
		})
	}
	for _, text := range []string{"", "[]", "<html>", `{"keys":7}`} {
		if _, err := keyring.ParseJWKS([]byte(text)); err == nil || strings.Contains(err.Error(), "html") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
