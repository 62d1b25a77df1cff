// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

func TestGenerate(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 999, time.FixedZone("CET", 3600))
	key, err := keyring.Generate(keyring.AlgorithmES256, rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	if key.Algorithm != "ES256" {
		t.Errorf("got algorithm %q", key.Algorithm)
	}
	if key.CreatedAt != noon || key.SignFrom != noon {
		t.Errorf("got %v and %v, want whole seconds in UTC, as they are stored", key.CreatedAt, key.SignFrom)
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		t.Fatalf("got the public key %v", key.Public())
	}
	if !public.Equal(key.Private().Public()) {
		t.Error("the halves do not belong together")
	}
	digest := sha256.Sum256([]byte("a"))
	signature, err := key.Private().Sign(rand.Reader, digest[:], nil)
	if err != nil || !ecdsa.VerifyASN1(public, digest[:], signature) {
		t.Errorf("what is signed does not verify: %v", err)
	}
	if other := generate(t, 0); other.ID == key.ID {
		t.Error("two keys have one ID")
	}
}

// TestKeyIDIsTheThumbprint holds the ID to RFC 7638 section 3: the SHA-256 of the required members of the public JWK, in
// order of their names and without white space.
func TestKeyIDIsTheThumbprint(t *testing.T) {
	ring, err := keyring.Decode(stored(t, rfcJWK(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if got := ring.Signer(noon).ID; got != rfcThumbprint {
		t.Errorf("got %q", got)
	}
	for range 20 {
		key := generate(t, 0)
		set, err := jwks(newRing(t, key))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + set[0]["x"] + `","y":"` + set[0]["y"] + `"}`))
		if want := base64.RawURLEncoding.EncodeToString(sum[:]); key.ID != want {
			t.Errorf("got %q, want %q", key.ID, want)
		}
	}
}
