// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/assertion"
)

const (
	clientID = "acme.orders"
	issuer   = "https://auth.example.com"
	tokenURL = issuer + "/oauth/token"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// signers are private keys by name, made once: RSA takes its time.
var signers = sync.OnceValue(func() map[string]crypto.Signer {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	made := map[string]crypto.Signer{"ed": ed}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "other": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		made[name], _ = ecdsa.GenerateKey(curve, rand.Reader)
	}
	made["rsa"], _ = rsa.GenerateKey(rand.Reader, 2048)
	return made
})

func pemOf(t testing.TB, name string) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(signers()[name].Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// jwk makes a JWK whose kid is its name; change changes its members.
func jwk(t testing.TB, name string, change map[string]any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: signers()[name].Public(), KeyID: name})
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	maps.Copy(members, change)
	return members
}

func setOf(t testing.TB, keys ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func read(t testing.TB, set string, pems ...string) assertion.Keys {
	t.Helper()
	keys, err := assertion.ReadKeys(set, pems)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// draft is a JWT that is about to be signed.
type draft struct {
	signer, alg string
	header      map[string]any
	claims      jwt.MapClaims
}

func (d draft) sign(t testing.TB) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(d.alg), d.claims)
	maps.Copy(token.Header, d.header)
	var key any = signers()[d.signer]
	switch d.alg {
	case "none":
		key = jwt.UnsafeAllowNoneSignatureType
	case "HS256":
		key = []byte(pemOf(t, d.signer)) // the public key as a shared secret, which is the classic confusion
	}
	raw, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// changed gives a copy of the claims with some of them changed; nil takes one away.
func changed(claims jwt.MapClaims, change map[string]any) jwt.MapClaims {
	claims = maps.Clone(claims)
	for name, value := range change {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return claims
}

func in(d time.Duration) int64 { return noon.Add(d).Unix() }

// lineBreak puts a line break into the signature, which decoders skip.
func lineBreak(raw string) string { return raw[:len(raw)-4] + "\n" + raw[len(raw)-4:] }

// quotes reports whether a text holds a part of a JWT or what is in it.
func quotes(text, raw string) bool {
	for part := range strings.SplitSeq(raw, ".") {
		if len(part) > 8 && strings.Contains(text, part) {
			return true
		}
	}
	return false
}
