// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/assertion"
)

func good() draft {
	return draft{signer: "p256", alg: "ES256", header: map[string]any{"kid": "p256"}, claims: jwt.MapClaims{
		"iss": clientID, "sub": clientID, "aud": issuer, "exp": in(time.Minute), "iat": in(0), "nbf": in(0), "jti": "1",
	}}
}

// with changes the claims of a good assertion.
func with(change map[string]any) draft {
	d := good()
	d.claims = changed(d.claims, change)
	return d
}

func headed(header map[string]any) draft {
	d := good()
	d.header = header
	return d
}

func signedBy(signer, alg, kid string) draft {
	d := good()
	d.signer, d.alg, d.header = signer, alg, map[string]any{"kid": kid}
	return d
}

// TestVerify: acme.orders has the keys p256, p384 and rsa in a set, and the key ed without a name.
func TestVerify(t *testing.T) {
	const (
		noJWT  = "the assertion is not a JWT"
		badAlg = "the assertion's alg is not accepted"
		others = "the assertion's iss and sub are not the client"
		nobody = "the assertion is for another audience than " + issuer + " or " + tokenURL
		noKey  = "no key of the client verifies the assertion"
	)
	keys := read(t, setOf(t, jwk(t, "p256", nil), jwk(t, "p384", nil), jwk(t, "rsa", nil)), pemOf(t, "ed"))
	for _, row := range []struct {
		name  string
		draft draft
		// spoil changes what was signed.
		spoil func(string) string
		want  string
	}{
		{name: "an assertion by ES256 is good", draft: good()},
		{name: "by ES384", draft: signedBy("p384", "ES384", "p384")},
		{name: "by RS256", draft: signedBy("rsa", "RS256", "rsa")},
		{name: "by PS256", draft: signedBy("rsa", "PS256", "rsa")},
		{name: "by EdDSA with a key that has no name", draft: signedBy("ed", "EdDSA", "whatever")},
		{name: "without a kid every key is tried", draft: headed(nil)},
		{name: "an empty kid is none", draft: headed(map[string]any{"kid": ""})},
		{name: "typ may be what the successor of RFC 7523 wants", draft: headed(map[string]any{"typ": "client-authentication+jwt"})},
		{name: "the letter case of typ has no meaning", draft: headed(map[string]any{"typ": "jwt"})},

		{name: "text is no JWT", draft: good(), spoil: func(string) string { return "canary-0123456789" }, want: noJWT},
		{name: "two parts are no JWT", draft: good(), spoil: func(string) string { return "e30.e30" }, want: noJWT},
		{name: "a fourth part", draft: good(), spoil: func(raw string) string { return raw + ".e30" }, want: noJWT},
		{name: "a line break, which decoders skip", draft: good(), spoil: lineBreak, want: noJWT},
		{name: "padding", draft: good(), spoil: func(raw string) string { return raw + "=" }, want: noJWT},
		{name: "alg none", draft: signedBy("p256", "none", "p256"), want: badAlg},
		{name: "a public key as shared secret", draft: signedBy("rsa", "HS256", "rsa"), want: badAlg},
		{name: "an algorithm that is not on the list", draft: signedBy("p521", "ES512", "p521"), want: badAlg},
		{name: "RS512, neither", draft: signedBy("rsa", "RS512", "rsa"), want: badAlg},
		{name: "an access token that the key has signed", draft: headed(map[string]any{"typ": "at+jwt"}), want: "the assertion is a JWT of another type"},
		{name: "a typ that is no text", draft: headed(map[string]any{"typ": 1}), want: "the assertion is a JWT of another type"},
		{name: "a critical extension", draft: headed(map[string]any{"crit": []string{"b64"}, "b64": false}), want: "the assertion has critical extensions"},

		{name: "another iss", draft: with(map[string]any{"iss": "acme.agents"}), want: others},
		{name: "no iss", draft: with(map[string]any{"iss": nil}), want: others},
		{name: "another sub", draft: with(map[string]any{"sub": "acme.agents"}), want: others},
		{name: "no sub", draft: with(map[string]any{"sub": nil}), want: others},

		{name: "aud may be the token endpoint", draft: with(map[string]any{"aud": tokenURL})},
		{name: "aud may be a list that has one of them", draft: with(map[string]any{"aud": []string{"https://b", issuer}})},
		{name: "no aud", draft: with(map[string]any{"aud": nil}), want: nobody},
		{name: "an empty list", draft: with(map[string]any{"aud": []string{}}), want: nobody},
		{name: "somebody else", draft: with(map[string]any{"aud": "https://b"}), want: nobody},
		{name: "the issuer with a slash", draft: with(map[string]any{"aud": issuer + "/"}), want: nobody},
		{name: "another endpoint", draft: with(map[string]any{"aud": issuer + "/oauth/revoke"}), want: nobody},

		{name: "no exp", draft: with(map[string]any{"exp": nil}), want: "the assertion has no exp"},
		{name: "exp is now", draft: with(map[string]any{"exp": in(0)}), want: "the assertion has expired"},
		{name: "the last second", draft: with(map[string]any{"exp": in(time.Second)})},
		{name: "ten minutes and a minute for clocks", draft: with(map[string]any{"exp": in(11 * time.Minute)})},
		{name: "a second more", draft: with(map[string]any{"exp": in(11*time.Minute + time.Second)}), want: "the assertion's exp is more than 10m0s ahead"},
		{name: "an exp that is no time", draft: with(map[string]any{"exp": "soon"}), want: noJWT},
		{name: "an exp of more than a number can be", draft: with(map[string]any{"exp": 1e300}), want: "*"},
		{name: "neither nbf nor iat is asked for", draft: with(map[string]any{"nbf": nil, "iat": nil})},
		{name: "a clock that is a minute ahead", draft: with(map[string]any{"nbf": in(time.Minute), "iat": in(time.Minute), "exp": in(2 * time.Minute)})},
		{name: "nbf beyond it", draft: with(map[string]any{"nbf": in(61 * time.Second)}), want: "the assertion is not valid yet"},
		{name: "iat beyond it", draft: with(map[string]any{"iat": in(61 * time.Second)}), want: "the assertion is from the future"},
		{name: "no jti", draft: with(map[string]any{"jti": nil}), want: "the assertion has no jti"},
		{name: "an empty jti", draft: with(map[string]any{"jti": ""}), want: "the assertion has no jti"},

		{name: "the kid of another key of the algorithm", draft: signedBy("other", "ES256", "p256"), want: noKey},
		{name: "a key that the client does not have", draft: signedBy("other", "ES256", "other"), want: noKey},
		{name: "a key of the set under a kid that it does not have", draft: signedBy("p256", "ES256", "x"), want: noKey},
		{name: "a signature that is cut short", draft: good(), spoil: func(raw string) string { return raw[:len(raw)-6] }, want: noKey},
		{name: "no signature", draft: good(), spoil: func(raw string) string { return raw[:len(raw)-86] }, want: noKey},
		{name: "claims that were changed afterwards", draft: good(), spoil: func(raw string) string {
			other := with(map[string]any{"jti": "2"}).sign(t)
			return other[:len(other)-86] + raw[len(raw)-86:]
		}, want: noKey},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := row.draft.sign(t)
			if row.spoil != nil {
				raw = row.spoil(raw)
			}
			proof, err := assertion.Verify(raw, keys, assertion.Expect{ClientID: clientID, Audiences: []string{issuer, tokenURL}, Now: noon})
			switch {
			case row.want == "" && (err != nil || proof.ID != "1" || !keys.Has(proof.Thumbprint)):
				t.Errorf("got %+v, %v", proof, err)
			case row.want != "" && (err == nil || row.want != "*" && err.Error() != row.want || proof != assertion.Proof{}):
				t.Errorf("got %+v, %v", proof, err)
			case err != nil && quotes(err.Error(), raw):
				t.Errorf("the error quotes the assertion: %v", err)
			}
		})
	}
}

// TestNoKey: no error tells a client that has no key from one that does not exist, or has another.
func TestNoKey(t *testing.T) {
	for name, keys := range map[string]assertion.Keys{
		"no keys": nil, "another key": read(t, "", pemOf(t, "other")), "a key of another algorithm": read(t, "", pemOf(t, "rsa")),
	} {
		_, err := assertion.Verify(good().sign(t), keys, assertion.Expect{ClientID: clientID, Audiences: []string{issuer}, Now: noon})
		if !errors.Is(err, assertion.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzVerify: nothing passes but what a key of the client has signed.
func FuzzVerify(f *testing.F) {
	keys := read(f, setOf(f, jwk(f, "p256", nil)), pemOf(f, "ed"))
	genuine := good().sign(f)
	f.Add(genuine)
	f.Add(signedBy("p256", "none", "p256").sign(f))
	f.Add(lineBreak(genuine))
	f.Add("e30.e30.")
	f.Add("a.b.c.d")
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := assertion.Verify(raw, keys, assertion.Expect{ClientID: clientID, Audiences: []string{issuer}, Now: noon})
		if err == nil && raw != genuine {
			t.Fatalf("accepted %q", raw)
		}
		if err != nil && quotes(err.Error(), raw) {
			t.Fatalf("the error quotes the assertion: %v", err)
		}
	})
}
