// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/claviger/claviger/internal/assertion"
)

func privateJWK(t *testing.T, name string) map[string]any {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: signers()[name], KeyID: name})
	members := map[string]any{}
	if err != nil || json.Unmarshal(raw, &members) != nil {
		t.Fatal(err)
	}
	return members
}

func privatePEM(t *testing.T, name string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(signers()[name])
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func weakRSA(t *testing.T) map[string]any {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(jose.JSONWebKey{Key: key.Public()})
	members := map[string]any{}
	_ = json.Unmarshal(raw, &members)
	return members
}

func TestReadKeys(t *testing.T) {
	one := setOf(t, jwk(t, "p256", nil))
	const leaked = "is not public: whoever has read it here can sign with it, so make another"
	for _, row := range []struct {
		name string
		set  string
		pems []string
		// keys is how many are good; want is what is wrong.
		keys int
		want string
	}{
		{name: "no keys at all"},
		{name: "a set", set: one, keys: 1},
		{name: "an empty set", set: `{"keys":[]}`},
		{name: "a set with members that nobody knows", set: `{"keys":[],"x":1}`},
		{name: "PEM", pems: []string{pemOf(t, "p256"), pemOf(t, "p384"), pemOf(t, "ed"), pemOf(t, "rsa")}, keys: 4},
		{name: "both", set: one, pems: []string{pemOf(t, "ed")}, keys: 2},
		{name: "a set with every type", set: setOf(t, jwk(t, "p256", nil), jwk(t, "p384", nil), jwk(t, "ed", nil), jwk(t, "rsa", nil)), keys: 4},
		{name: "for signatures", set: setOf(t, jwk(t, "p256", map[string]any{"use": "sig", "alg": "ES256"})), keys: 1},
		{name: "RSA for PS256", set: setOf(t, jwk(t, "rsa", map[string]any{"alg": "PS256"})), keys: 1},
		{name: "two without a kid", set: setOf(t, jwk(t, "p256", map[string]any{"kid": ""}), jwk(t, "other", map[string]any{"kid": ""})), keys: 2},

		{name: "no JSON", set: "canary-0123456789", want: "jwks is not a JWK Set (RFC 7517 section 5)"},
		{name: "a single JWK", set: `{"kty":"EC"}`, want: "jwks is not a JWK Set (RFC 7517 section 5)"},
		{name: "keys that are none", set: `{"keys":{}}`, want: "jwks is not a JWK Set (RFC 7517 section 5)"},
		{name: "a private key", set: setOf(t, privateJWK(t, "p256")), want: "jwks key 0 " + leaked},
		{name: "a private RSA key", set: setOf(t, privateJWK(t, "rsa")), want: "jwks key 0 " + leaked},
		{name: "a symmetric key", set: `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, want: "jwks key 0 " + leaked},
		{name: "a type that nobody knows", set: `{"keys":[{"kty":"XYZ"}]}`, want: "jwks key 0 is not a key, or of a type that is not known here"},
		{name: "a point that is not on the curve", set: setOf(t, jwk(t, "p256", map[string]any{"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})), want: "jwks key 0 is not a key, or of a type that is not known here"},
		{name: "another curve", set: setOf(t, jwk(t, "p521", nil)), want: "jwks key 0 is on another curve than P-256 and P-384"},
		{name: "weak RSA", set: setOf(t, weakRSA(t)), want: "jwks key 0 is an RSA key of other than 2048 to 4096 bits"},
		{name: "a key for encryption", set: setOf(t, jwk(t, "rsa", map[string]any{"use": "enc"})), want: "jwks key 0 is not for signatures: its use is not sig"},
		{name: "an alg of another type of key", set: setOf(t, jwk(t, "p256", map[string]any{"alg": "RS256"})), want: "jwks key 0 has an alg that is not accepted of it"},
		{name: "an alg that is not on the list", set: setOf(t, jwk(t, "rsa", map[string]any{"alg": "RS512"})), want: "jwks key 0 has an alg that is not accepted of it"},
		{name: "two of one kid", set: setOf(t, jwk(t, "p256", nil), jwk(t, "other", map[string]any{"kid": "p256"})), keys: 1, want: "jwks key 1 has the kid of another"},
		{name: "five in a set", set: setOf(t, jwk(t, "p256", nil), jwk(t, "p384", nil), jwk(t, "ed", nil), jwk(t, "rsa", nil), jwk(t, "other", nil)), keys: 4, want: "jwks has more than 4 keys"},
		{name: "five together", set: one, pems: []string{pemOf(t, "p384"), pemOf(t, "ed"), pemOf(t, "rsa"), pemOf(t, "other")}, keys: 4, want: "there are more than 4 keys"},
		{name: "no PEM", pems: []string{"canary-0123456789"}, want: "publicKeys[0] is not one block of PEM"},
		{name: "two blocks", pems: []string{pemOf(t, "p256") + pemOf(t, "ed")}, want: "publicKeys[0] is not one block of PEM"},
		{name: "a private key as PEM", pems: []string{privatePEM(t, "p256")}, want: "publicKeys[0] " + leaked},
		{name: "a certificate", pems: []string{strings.ReplaceAll(pemOf(t, "p256"), "PUBLIC KEY", "CERTIFICATE")}, want: "publicKeys[0] is not a PUBLIC KEY (RFC 7468 section 13)"},
		{name: "a block of something else", pems: []string{"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, want: "publicKeys[0] does not parse as a public key"},
		{name: "one bad key leaves the others", set: setOf(t, privateJWK(t, "p256"), jwk(t, "p384", nil)), pems: []string{"x", pemOf(t, "ed")}, keys: 2, want: "jwks key 0 " + leaked + "\npublicKeys[0] is not one block of PEM"},
	} {
		t.Run(row.name, func(t *testing.T) {
			keys, err := assertion.ReadKeys(row.set, row.pems)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if len(keys) != row.keys || got != row.want {
				t.Errorf("got %d keys, %q; want %d, %q", len(keys), got, row.keys, row.want)
			}
		})
	}
}

// FuzzReadKeys: nothing that is read makes a key that could sign, and errors quote nothing.
func FuzzReadKeys(f *testing.F) {
	f.Add(setOf(f, jwk(f, "p256", nil)), pemOf(f, "ed"))
	f.Add(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, "")
	f.Add(`{"keys":[null,1,"x",{}]}`, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
	f.Add(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	f.Fuzz(func(t *testing.T, set, text string) {
		keys, err := assertion.ReadKeys(set, []string{text})
		if len(keys) > assertion.MaxKeys {
			t.Fatalf("%d keys", len(keys))
		}
		if err != nil && len(text) > 30 && strings.Contains(err.Error(), text) {
			t.Fatalf("the error quotes the key: %v", err)
		}
	})
}
