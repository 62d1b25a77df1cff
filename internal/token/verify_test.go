// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/leak"
)

// TestVerifyClaims: tokens that the ring signed, and that are good or not because of what they say.
func TestVerifyClaims(t *testing.T) {
	ring := newRing(t)
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for _, row := range []struct {
		name   string
		header map[string]any
		body   map[string]any
		now    time.Duration
		good   bool
	}{
		{name: "a token is good from the second in which it is issued", good: true},
		{name: "a token is good until the end", now: time.Hour - 1, good: true},
		{name: "a token is expired exactly at exp", now: time.Hour},
		{name: "a token is expired after exp", now: time.Hour + time.Second},
		{name: "a token without exp is refused", body: map[string]any{"exp": nil}},
		{name: "an exp that is no number is refused", body: map[string]any{"exp": "canary-0123456789"}},
		{name: "an exp of zero is refused", body: map[string]any{"exp": 0}},
		{name: "a token before its nbf is refused", body: map[string]any{"nbf": at(time.Second)}},

		{name: "an iat a minute ahead is accepted: clocks differ", body: map[string]any{"iat": at(time.Minute)}, good: true},
		{name: "an iat further ahead is refused", body: map[string]any{"iat": at(time.Minute + time.Second)}},
		{name: "a token without iat is refused", body: map[string]any{"iat": nil}},
		{name: "an iat that is no number is refused", body: map[string]any{"iat": "canary-0123456789"}},

		{name: "another issuer is refused", body: map[string]any{"iss": "https://auth.example.org"}},
		{name: "an issuer with a slash is another issuer", body: map[string]any{"iss": issuer + "/"}},
		{name: "an issuer in another letter case is another issuer", body: map[string]any{"iss": "https://AUTH.example.com"}},
		{name: "a token without issuer is refused", body: map[string]any{"iss": nil}},
		{name: "an empty issuer is refused", body: map[string]any{"iss": ""}},

		{name: "another audience is for others to judge", body: map[string]any{"aud": []string{"https://a"}}, good: true},
		{name: "a token without audience is refused", body: map[string]any{"aud": nil}},
		{name: "an empty audience is refused", body: map[string]any{"aud": []string{}}},
		{name: "there may be several audiences", body: map[string]any{"aud": []string{"https://a", issuer}}, good: true},
		{name: "an audience may be a string", body: map[string]any{"aud": issuer}, good: true},

		{name: "a token without jti is refused", body: map[string]any{"jti": nil}},
		{name: "an empty jti is refused", body: map[string]any{"jti": ""}},
		{name: "a token without client_id is refused", body: map[string]any{"client_id": nil}},
		{name: "a token without client_id and sub is refused", body: map[string]any{"client_id": nil, "sub": nil}},
		{name: "a token without incarnation is refused", body: map[string]any{"incarnation": nil}},
		{name: "a token without sub is refused", body: map[string]any{"sub": nil}},
		{name: "a sub that is not the client is refused", body: map[string]any{"sub": "acme.stock"}},
		{name: "a claim of another type is refused", body: map[string]any{"client_id": 1}},
		{name: "a token without scope and account is good", body: map[string]any{"scope": nil, "account": nil}, good: true},
		{name: "a token from before secret_id was noted is good", body: map[string]any{"secret_id": nil}, good: true},
		{name: "a secret_id that is no string is refused", body: map[string]any{"secret_id": 1}},
		{name: "claims that are unknown are ignored", body: map[string]any{"note": "x"}, good: true},

		{name: "another typ is refused", header: map[string]any{"typ": "JWT"}},
		{name: "typ in another letter case is refused", header: map[string]any{"typ": "AT+JWT"}},
		{name: "the long form of typ is refused", header: map[string]any{"typ": "application/at+jwt"}},
		{name: "a token without typ is refused", header: map[string]any{"typ": nil}},
		{name: "a typ that is no string is refused", header: map[string]any{"typ": 1}},
		{name: "an unknown kid is refused", header: map[string]any{"kid": "x"}},
		{name: "an empty kid is refused", header: map[string]any{"kid": ""}},
		{name: "a token without kid is refused", header: map[string]any{"kid": nil}},
		{name: "a kid that is no string is refused", header: map[string]any{"kid": []string{ring.Signer(noon).ID}}},
		{name: "a token without alg is refused", header: map[string]any{"alg": nil}},
		{name: "an unknown alg is refused", header: map[string]any{"alg": "ES257"}},
		{name: "alg in another letter case is refused", header: map[string]any{"alg": "es256"}},
		{name: "another alg than it was signed with is refused", header: map[string]any{"alg": "ES384"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := sign(t, ring, row.header, row.body)
			at := expect
			at.Now = noon.Add(row.now)
			got, err := token.Verify(raw, ring, at)
			if row.good {
				if err != nil || got.ClientID != "acme.orders" {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			checkRefused(t, raw, got, err)
			if future := strings.Contains(row.name, "iat further ahead"); errors.Is(err, token.ErrFuture) != future {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifyForgeries: tokens that the ring did not sign.
func TestVerifyForgeries(t *testing.T) {
	ring, other := newRing(t), newRing(t)
	raw := mint(t, ring)
	parts := strings.Split(raw, ".")
	der, err := x509.MarshalPKIXPublicKey(publicOf(ring))
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	header, body := headerOf(ring, nil), wire(nil)
	flip := func(part, at int) string {
		changed := strings.Split(raw, ".")
		b := []byte(changed[part])
		b[at] = map[bool]byte{true: 'B', false: 'A'}[b[at] == 'A']
		changed[part] = string(b)
		return strings.Join(changed, ".")
	}
	claimsOf := func(text string) string {
		return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + parts[2]
	}
	for name, forged := range map[string]string{
		"alg none":                                   forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, body),
		"alg none with the signature of another":     forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, body) + parts[2],
		"HS256 with the public key in PEM":           forge(t, jwt.SigningMethodHS256, publicPEM, header, body),
		"HS256 with the public key in DER":           forge(t, jwt.SigningMethodHS256, der, header, body),
		"HS256 with the published key set":           forge(t, jwt.SigningMethodHS256, ring.JWKS(), header, body),
		"HS256 with an empty key":                    forge(t, jwt.SigningMethodHS256, []byte{}, header, body),
		"another key under the kid of ours":          forge(t, jwt.SigningMethodES256, other.Signer(noon).Private(), header, body),
		"another key under its own kid":              mint(t, other),
		"another key that the header brings along":   forge(t, jwt.SigningMethodES256, other.Signer(noon).Private(), headerOf(ring, map[string]any{"kid": nil, "jwk": "x", "jku": "https://evil"}), body),
		"claims that were changed":                   claimsOf(`{"iss":"` + issuer + `"}`),
		"claims that are null":                       claimsOf(`null`),
		"claims that are no JSON":                    claimsOf(`{`),
		"one changed character in the header":        flip(0, 10),
		"one changed character in the claims":        flip(1, 10),
		"one changed character in the signature":     flip(2, 10),
		"the signature of another token":             parts[0] + "." + parts[1] + "." + strings.Split(mint(t, other), ".")[2],
		"a signature of zeros":                       parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		"an empty signature":                         parts[0] + "." + parts[1] + ".",
		"a signature that was cut off":               raw[:len(raw)-2],
		"a signature with bytes behind it":           raw + "AAAA",
		"a signature with spare bits":                raw[:len(raw)-1] + spare(raw[len(raw)-1]),
		"padding":                                    raw + "==",
		"a part behind it":                           raw + ".e30",
		"a dot behind it":                            raw + ".",
		"a line break behind it":                     raw + "\n",
		"a line break in the signature":              raw[:len(raw)-5] + "\n" + raw[len(raw)-5:],
		"a carriage return behind it":                raw + "\r",
		"a blank behind it":                          raw + " ",
		"a blank before it":                          " " + raw,
		"the scheme before it":                       "Bearer " + raw,
		"a NUL behind it":                            raw + "\x00",
		"two parts":                                  parts[0] + "." + parts[1],
		"nothing":                                    "",
		"three empty parts":                          "..",
		"a header that is no object":                 base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + "." + parts[1] + "." + parts[2],
		"text":                                       strings.Repeat("a long text that is not a token at all ", 9),
		"a token in the characters of base64 proper": strings.NewReplacer("-", "+", "_", "/").Replace(raw) + "+",
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			got, err := token.Verify(forged, ring, expect)
			checkRefused(t, forged, got, err)
		})
	}
	if _, err := token.Verify(raw, ring, expect); err != nil {
		t.Errorf("the token that all of these were made from is refused: %v", err)
	}
}

// TestAlgorithmsAreOnAnAllowList: a token of another algorithm is refused for that alone, before any key is looked up.
func TestAlgorithmsAreOnAnAllowList(t *testing.T) {
	ring := newRing(t)
	for _, method := range []jwt.SigningMethod{
		jwt.SigningMethodNone, jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512, jwt.SigningMethodRS384,
		jwt.SigningMethodRS512, jwt.SigningMethodPS256, jwt.SigningMethodES384, jwt.SigningMethodES512,
	} {
		t.Run(method.Alg(), func(t *testing.T) {
			raw := sign(t, ring, map[string]any{"alg": method.Alg()}, nil)
			got, err := token.Verify(raw, ring, expect)
			checkRefused(t, raw, got, err)
			if !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAlgorithmIsTheKeysOwn: no token chooses how a key is used (RFC 8725 section 3.1), nor is any type of key taken for
// another one.
func TestAlgorithmIsTheKeysOwn(t *testing.T) {
	for _, own := range keyring.Algorithms() {
		ring := newRingFor(t, own)
		for _, claimed := range append(keyring.Algorithms(), "PS256", "RS512", "HS256", "none") {
			t.Run(claimed+" with a key for "+own, func(t *testing.T) {
				raw := forge(t, jwt.GetSigningMethod(own), ring.Signer(noon).Private(), headerOf(ring, map[string]any{"alg": claimed}), wire(nil))
				got, err := token.Verify(raw, ring, expect)
				if claimed == own {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				checkRefused(t, raw, got, err)
			})
		}
	}
}

// TestEveryByteCounts changes every character of a token.
func TestEveryByteCounts(t *testing.T) {
	ring := newRing(t)
	raw := mint(t, ring)
	for i := range raw {
		for _, c := range []byte("A_.=\n ") {
			if raw[i] == c {
				continue
			}
			changed := raw[:i] + string(c) + raw[i+1:]
			got, err := token.Verify(changed, ring, expect)
			checkRefused(t, changed, got, err)
		}
	}
}

// TestAnotherExpectation: the same token elsewhere.
func TestAnotherExpectation(t *testing.T) {
	ring := newRing(t)
	raw := mint(t, ring)
	for name, there := range map[string]token.Expect{
		"another issuer":           {Issuer: "https://b", Now: noon},
		"long before it is issued": {Issuer: issuer, Now: noon.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := token.Verify(raw, ring, there)
			checkRefused(t, raw, got, err)
		})
	}
}

// checkRefused: a refusal comes without claims, and its error never holds the token.
func checkRefused(t *testing.T, raw string, got token.Claims, err error) {
	t.Helper()
	if err == nil || !reflect.DeepEqual(got, token.Claims{}) {
		t.Fatalf("%q was accepted: %+v", raw, got)
	}
	if leak.Quotes(err.Error(), raw) || leak.Quotes(err.Error(), decoded(raw)) {
		t.Fatalf("the error quotes the token: %v", err)
	}
}

// decoded gives what is readable of a token.
func decoded(raw string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(raw, ".") {
		readable, _ := base64.RawURLEncoding.DecodeString(part) // as far as it goes
		text.Write(readable)
	}
	return text.String()
}

// spare gives a character that differs from the given one of base64url only in bits that an 86th character does not use.
func spare(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)^1])
}
