// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"crypto"
	"crypto/rand"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
)

const issuer = "https://auth.example.com"

// noon is the time at which a test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// expect is what a token must match at noon.
var expect = token.Expect{Issuer: issuer, Now: noon}

// claims are those of a token that is issued at noon for an hour.
func claims() token.Claims {
	return token.Claims{
		ID: "b64-id", ClientID: "acme.orders", Audience: []string{issuer}, Scope: "Webhook MCP", Account: "acme",
		Incarnation: "uid", SecretID: "b64-secret", IssuedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
}

// wire is the same as it is in the token, with some claims changed or, where they are nil, left out.
func wire(changes map[string]any) jwt.MapClaims {
	all := jwt.MapClaims{
		"iss": issuer, "sub": "acme.orders", "aud": []string{issuer}, "jti": "b64-id", "client_id": "acme.orders",
		"scope": "Webhook MCP", "account": "acme", "incarnation": "uid", "secret_id": "b64-secret",
		"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(),
	}
	return change(all, changes)
}

func change[M ~map[string]any](all M, changes map[string]any) M {
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func newRing(t testing.TB) *keyring.Ring {
	t.Helper()
	return newRingFor(t, keyring.AlgorithmES256)
}

func newRingFor(t testing.TB, algorithm string) *keyring.Ring {
	t.Helper()
	key, err := keyring.Generate(algorithm, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.NewRing(key)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// forge signs any claims under any header, as an issuer with faults or an attacker with the key might.
func forge(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, body jwt.Claims) string {
	t.Helper()
	made := jwt.NewWithClaims(method, body)
	change(made.Header, header)
	signed, err := made.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// headerOf is the header of a genuine token of the ring, with some members changed.
func headerOf(ring *keyring.Ring, changes map[string]any) map[string]any {
	header := map[string]any{"typ": "at+jwt", "kid": ring.Signer(noon).ID}
	maps.Copy(header, changes) // forge leaves out what is nil
	return header
}

// sign makes a token that is genuine but for the changes.
func sign(t testing.TB, ring *keyring.Ring, header, body map[string]any) string {
	t.Helper()
	return forge(t, jwt.SigningMethodES256, ring.Signer(noon).Private(), headerOf(ring, header), wire(body))
}

func mint(t testing.TB, ring *keyring.Ring) string {
	t.Helper()
	raw, err := token.Mint(issuer, ring, claims())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// publicOf gives the public key that everybody can fetch.
func publicOf(ring *keyring.Ring) crypto.PublicKey { return ring.Signer(noon).Public() }
