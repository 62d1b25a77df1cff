// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"crypto/rand"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
)

// TestMint pins down what is in a token (RFC 9068 section 2): those who verify offline depend on it.
func TestMint(t *testing.T) {
	ring := newRing(t)
	kid := ring.Signer(noon).ID
	unrestricted := claims()
	unrestricted.Account, unrestricted.SecretID, unrestricted.Audience = "", "", []string{"https://a", "https://b"}
	for _, row := range []struct {
		name   string
		claims token.Claims
		body   string
	}{
		{
			"a token of an account", claims(),
			`{"iss":"https://auth.example.com","sub":"acme.orders","aud":["https://auth.example.com"],"exp":1772370000,"iat":1772366400,` +
				`"jti":"b64-id","client_id":"acme.orders","scope":"Webhook MCP","account":"acme","incarnation":"uid","secret_id":"b64-secret"}`,
		},
		{
			"a token of no account and no client secret, for two resources", unrestricted,
			`{"iss":"https://auth.example.com","sub":"acme.orders","aud":["https://a","https://b"],"exp":1772370000,"iat":1772366400,` +
				`"jti":"b64-id","client_id":"acme.orders","scope":"Webhook MCP","incarnation":"uid"}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw, err := token.Mint(issuer, ring, row.claims)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(raw, ".")
			if len(parts) != 3 || len(parts[2]) != 86 {
				t.Fatalf("got %d parts", len(parts))
			}
			for i, want := range []string{`{"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`, row.body} {
				got, err := base64.RawURLEncoding.DecodeString(parts[i])
				if err != nil || string(got) != want {
					t.Errorf("got %s, %v", got, err)
				}
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for _, algorithm := range keyring.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			ring := newRingFor(t, algorithm)
			raw := mint(t, ring)
			header, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
			if err != nil || !strings.Contains(string(header), `"alg":"`+algorithm+`"`) {
				t.Errorf("the header is %s, %v", header, err)
			}
			got, err := token.Verify(raw, ring, expect)
			if err != nil {
				t.Fatal(err)
			}
			got.IssuedAt, got.ExpiresAt = got.IssuedAt.UTC(), got.ExpiresAt.UTC()
			want := claims()
			want.KeyID = ring.Signer(noon).ID
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestRotation: a key signs from its time on, and tokens of older keys verify as long as their key is in the ring, whatever
// algorithm the one or the other is for.
func TestRotation(t *testing.T) {
	before := newRing(t)
	key, err := keyring.Generate(keyring.AlgorithmEdDSA, rand.Reader, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	both, err := keyring.NewRing(before.Signer(noon), key)
	if err != nil {
		t.Fatal(err)
	}
	after, err := keyring.NewRing(key)
	if err != nil {
		t.Fatal(err)
	}
	old := mint(t, both)
	later := claims()
	later.IssuedAt = noon.Add(time.Minute)
	young, err := token.Mint(issuer, both, later)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		raw  string
		ring *keyring.Ring
		good bool
	}{
		{"before its time the new key does not sign", old, before, true},
		{"an old token verifies beside the new key", old, both, true},
		{"an old token dies with its key", old, after, false},
		{"at its time the new key signs", young, after, true},
		{"a new token verifies beside the old key", young, both, true},
		{"a new token does not verify with the old key", young, before, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := token.Verify(row.raw, row.ring, expect); (err == nil) != row.good {
				t.Errorf("got %v", err)
			}
		})
	}
}
