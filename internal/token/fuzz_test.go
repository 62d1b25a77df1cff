// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
)

// knownRing has the key of RFC 7517 appendix A.2, so that every process of a fuzzer has the same.
func knownRing(t testing.TB) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Decode(map[string][]byte{"keys.json": []byte(`{"keys":[{"createdAt":"2026-03-01T12:00:00Z","jwk":{
		"kty":"EC","crv":"P-256","alg":"ES256",
		"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
		"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
		"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// FuzzVerify: whatever is accepted was minted by the ring. Signatures are random, so a token is recognised by all before
// its signature, which is the same whenever the claims are.
func FuzzVerify(f *testing.F) {
	ring := knownRing(f)
	raw := mint(f, ring)
	signed := raw[:strings.LastIndex(raw, ".")+1]
	hmac := forge(f, jwt.SigningMethodHS256, ring.JWKS(), headerOf(ring, nil), wire(nil))
	none := forge(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, headerOf(ring, nil), wire(nil))
	for _, seed := range []string{
		raw, raw + "\n", raw + "=", raw + ".", raw[:len(raw)-1], signed, signed + strings.Repeat("A", 86), hmac, none,
		sign(f, ring, map[string]any{"typ": "JWT"}, nil), sign(f, ring, nil, map[string]any{"exp": nil}), "", "..", "e30.e30.", "bnVsbA.bnVsbA.",
	} {
		f.Add(seed)
	}
	want := claims()
	want.KeyID = ring.Signer(noon).ID
	f.Fuzz(func(t *testing.T, input string) {
		got, err := token.Verify(input, ring, expect)
		if err != nil {
			checkRefused(t, input, got, err)
			return
		}
		got.IssuedAt, got.ExpiresAt = got.IssuedAt.UTC(), got.ExpiresAt.UTC()
		if signature, found := strings.CutPrefix(input, signed); !found || len(signature) != 86 || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q was accepted, which nobody minted: %+v", input, got)
		}
	})
}
