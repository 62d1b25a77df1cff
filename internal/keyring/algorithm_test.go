// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/test/leak"
)

// TestEveryAlgorithm: a key of each is made, stored, read, published and read by validators, and signs what it should.
func TestEveryAlgorithm(t *testing.T) {
	published := map[string][]string{
		"ES256": {"alg", "crv", "kid", "kty", "use", "x", "y"},
		"EdDSA": {"alg", "crv", "kid", "kty", "use", "x"},
		"RS256": {"alg", "e", "kid", "kty", "n", "use"},
	}
	if got := keyring.Algorithms(); !slices.Equal(got, []string{"ES256", "EdDSA", "RS256"}) {
		t.Fatalf("got %q", got)
	}
	for _, algorithm := range keyring.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			made := generateFor(t, algorithm, 0)
			data, err := keyring.Encode(made)
			if err != nil {
				t.Fatal(err)
			}
			ring, err := keyring.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			read := ring.Signer(noon)
			if describe(read) != describe(made) || read.Algorithm != algorithm || !reflect.DeepEqual(read.Public(), made.Public()) {
				t.Errorf("read back it is %s, want %s", describe(read), describe(made))
			}
			sign(t, read)

			set, err := jwks(ring)
			if err != nil {
				t.Fatal(err)
			}
			if members := slices.Sorted(maps.Keys(set[0])); !slices.Equal(members, published[algorithm]) || set[0]["alg"] != algorithm {
				t.Errorf("published are %q", members)
			}
			fetched, err := keyring.ParseJWKS(ring.JWKS())
			if err != nil {
				t.Fatal(err)
			}
			if found, ok := fetched.Lookup(made.ID); !ok || found.Algorithm != algorithm || !reflect.DeepEqual(found.Public(), made.Public()) {
				t.Errorf("a validator reads %s", fetched.JWKS())
			}
		})
	}
	if _, err := keyring.Generate("ES384", rand.Reader, noon); err == nil {
		t.Error("a key is made for an algorithm that there is not")
	}
}

// sign has a key sign, and its public half verify.
func sign(t *testing.T, key keyring.Key) {
	t.Helper()
	digest, hash := make([]byte, 32), crypto.SHA256
	if key.Algorithm == keyring.AlgorithmEdDSA {
		hash = 0 // Ed25519 takes the message itself
	}
	signature, err := key.Private().Sign(rand.Reader, digest, hash)
	good := false
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest, signature)
	case ed25519.PublicKey:
		good = ed25519.Verify(public, digest, signature)
	case *rsa.PublicKey:
		good = public.N.BitLen() == 2048 && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature) == nil
	}
	if err != nil || !good {
		t.Errorf("what the key of %s signs does not verify: %v", key.Algorithm, err)
	}
}

// TestDecodeOtherAlgorithms: a damaged key of any type is refused, and never quoted.
func TestDecodeOtherAlgorithms(t *testing.T) {
	member := func(key any, algorithm string, changes map[string]any) map[string]any {
		raw, err := jose.JSONWebKey{Key: key, Algorithm: algorithm}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var jwk map[string]any
		if err := json.Unmarshal(raw, &jwk); err != nil {
			t.Fatal(err)
		}
		maps.Copy(jwk, changes)
		maps.DeleteFunc(jwk, func(_ string, value any) bool { return value == nil })
		return jwk
	}
	edwards, large := generateFor(t, "EdDSA", 0).Private(), generateFor(t, "RS256", 0).Private()
	another := member(generateFor(t, "EdDSA", 0).Private(), "EdDSA", nil)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name     string
		jwk      map[string]any
		accepted bool
	}{
		{name: "a key of Ed25519 is accepted", jwk: member(edwards, "EdDSA", nil), accepted: true},
		{name: "a key of RSA is accepted", jwk: member(large, "RS256", nil), accepted: true},

		{name: "a key of Ed25519 for ES256 is refused", jwk: member(edwards, "ES256", nil)},
		{name: "a key of Ed25519 for no algorithm is refused", jwk: member(edwards, "", nil)},
		{name: "a public key of Ed25519 is refused", jwk: member(edwards, "EdDSA", map[string]any{"d": nil})},
		{name: "a private half of another key of Ed25519 is refused", jwk: member(edwards, "EdDSA", map[string]any{"d": another["d"]})},
		{name: "a key of RSA for PS256 is refused", jwk: member(large, "PS256", nil)},
		{name: "a key of RSA for HS256 is refused", jwk: member(large, "HS256", nil)},
		{name: "a public key of RSA is refused", jwk: member(large, "RS256", map[string]any{"d": nil, "p": nil, "q": nil, "dp": nil, "dq": nil, "qi": nil})},
		{name: "a private half of another RSA key is refused", jwk: member(large, "RS256", map[string]any{"d": "AQAB"})},
		{name: "an RSA key that is too small is refused", jwk: member(small, "RS256", nil)},
		{name: "a key on P-384 is refused", jwk: member(p384, "ES384", nil)},
	} {
		t.Run(row.name, func(t *testing.T) {
			data := stored(t, row.jwk)
			ring, err := keyring.Decode(data)
			if (err == nil) != row.accepted {
				t.Fatalf("got %v", err)
			}
			if row.accepted {
				sign(t, ring.Signer(noon))
			} else if leak.Quotes(err.Error(), string(data["keys.json"])) {
				t.Errorf("the error quotes what it read: %v", err)
			}
		})
	}
}
