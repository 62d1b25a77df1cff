// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/oauth"
)

// ask sends a request, and gives what the provider saw of it.
func ask(t *testing.T, change func(*tokenendpoint.Request)) *http.Request {
	t.Helper()
	seen := make(chan *http.Request, 1)
	provider := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		says(http.StatusOK, "application/json", `{"access_token":"`+given+`"}`)(w, r)
	})
	r := refresh(provider.URL)
	change(&r)
	answer := provider.client().Do(t.Context(), r)
	if answer.Outcome != connector.Granted || answer.Tokens.Access.Reveal() != given {
		t.Fatalf("got %+v", answer)
	}
	return <-seen
}

func TestTheRequest(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*tokenendpoint.Request)
		want   url.Values
	}{
		{
			"a refresh token", func(*tokenendpoint.Request) {},
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {presented}},
		},
		{
			"a code",
			func(r *tokenendpoint.Request) {
				r.Grant = tokenendpoint.AuthorizationCode{Code: oauth.NewSecret("c&d"), Verifier: oauth.NewSecret("v"), RedirectURI: "https://a.example/callback?x=y"}
			},
			url.Values{"grant_type": {"authorization_code"}, "code": {"c&d"}, "code_verifier": {"v"}, "redirect_uri": {"https://a.example/callback?x=y"}},
		},
		{
			"a code alone",
			func(r *tokenendpoint.Request) { r.Grant = tokenendpoint.AuthorizationCode{Code: oauth.NewSecret("c")} },
			url.Values{"grant_type": {"authorization_code"}, "code": {"c"}},
		},
		{
			"the client alone, with scopes",
			func(r *tokenendpoint.Request) { r.Grant, r.Scope = tokenendpoint.ClientCredentials{}, "a b" },
			url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}},
		},
		{
			"parameters, of which those of the protocol are left out",
			func(r *tokenendpoint.Request) {
				r.Scope = "a"
				r.Parameters = map[string]string{
					"audience": "x", "scope": "other", "grant_type": "password", "refresh_token": "other", "code": "other", "redirect_uri": "other",
					"code_verifier": "other", "client_id": "other", "client_secret": "other", "client_assertion": "other",
					"client_assertion_type": "other", "token": "other",
				}
			},
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {presented}, "scope": {"a"}, "audience": {"x"}},
		},
		{
			"a scope among the parameters, where there is no other",
			func(r *tokenendpoint.Request) { r.Parameters = map[string]string{"scope": "a"} },
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {presented}, "scope": {"a"}},
		},
		{
			"a client and its secret in the body",
			func(r *tokenendpoint.Request) { r.Client.Style = v1alpha1.AuthStylePost },
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {presented}, "client_id": {"client"}, "client_secret": {clientSecret}},
		},
		{
			"a public client",
			func(r *tokenendpoint.Request) {
				r.Client.Style, r.Client.Secret = v1alpha1.AuthStylePost, oauth.Secret{}
			},
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {presented}, "client_id": {"client"}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			seen := ask(t, row.change)
			if !reflect.DeepEqual(seen.PostForm, row.want) {
				t.Errorf("the provider saw %v", seen.PostForm)
			}
			if seen.Method != http.MethodPost || seen.URL.RawQuery != "key="+inTheQuery || seen.Header.Get("Accept") != "application/json" || seen.Header.Get("User-Agent") != "Claviger" {
				t.Errorf("the provider saw %s %s %v", seen.Method, seen.URL, seen.Header)
			}
			if _, basic := row.want["client_id"]; basic == (seen.Header.Get("Authorization") != "") {
				t.Error("the client is there twice, or not at all")
			}
		})
	}
}

// TestBasic: both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
func TestBasic(t *testing.T) {
	seen := ask(t, func(r *tokenendpoint.Request) { r.Client.ID = "acme:orders 1" })
	pair, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(seen.Header.Get("Authorization"), "Basic "))
	if err != nil || string(pair) != "acme%3Aorders+1:client%2Bsecret%2F0123456789+%C3%A4%3A%26%3D" {
		t.Errorf("got %s, %v", pair, err)
	}
}

func keyOf(t *testing.T, make func() (crypto.Signer, error)) crypto.Signer {
	t.Helper()
	key, err := make()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPrivateKeyJWT(t *testing.T) {
	curve := func(c elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(c, rand.Reader) }
	}
	for algorithm, generate := range map[string]func() (crypto.Signer, error){
		"ES256": curve(elliptic.P256()), "ES384": curve(elliptic.P384()), "ES512": curve(elliptic.P521()),
		"RS256": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"EdDSA": func() (crypto.Signer, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err },
	} {
		t.Run(algorithm, func(t *testing.T) {
			key := keyOf(t, generate)
			change := func(r *tokenendpoint.Request) {
				r.Client = tokenendpoint.Credentials{ID: "client", Key: key, KeyID: "one", Style: v1alpha1.AuthStylePrivateKeyJWT, Secret: oauth.NewSecret(clientSecret)}
			}
			seen, again := ask(t, change), ask(t, change)
			form := maps.Clone(seen.PostForm)
			assertion := form.Get("client_assertion")
			form.Del("client_assertion")
			if want := (url.Values{
				"grant_type": {"refresh_token"}, "refresh_token": {presented}, "client_id": {"client"},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			}); !reflect.DeepEqual(form, want) || seen.Header.Get("Authorization") != "" {
				t.Errorf("the provider saw %v", form)
			}
			claims := jwt.MapClaims{}
			token, err := jwt.ParseWithClaims(assertion, claims, func(*jwt.Token) (any, error) { return key.Public(), nil },
				jwt.WithValidMethods([]string{algorithm}), jwt.WithTimeFunc(func() time.Time { return noon }))
			if err != nil {
				t.Fatal(err)
			}
			id, _ := claims["jti"].(string)
			if len(id) != 22 || strings.Contains(again.PostForm.Get("client_assertion"), strings.Split(assertion, ".")[1]) {
				t.Errorf("jti is %q, or came twice", id)
			}
			delete(claims, "jti")
			if want := (jwt.MapClaims{
				"iss": "client", "sub": "client", "aud": "https://" + seen.Host + "/token?key=" + inTheQuery,
				"iat": float64(noon.Unix()), "exp": float64(noon.Add(2 * time.Minute).Unix()),
			}); !reflect.DeepEqual(claims, want) || token.Header["kid"] != "one" {
				t.Errorf("got %v, %v", token.Header, claims)
			}
		})
	}
}

func TestAudienceOfAnAssertion(t *testing.T) {
	key := keyOf(t, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	seen := ask(t, func(r *tokenendpoint.Request) {
		r.Client = tokenendpoint.Credentials{ID: "client", Key: key, Audience: "https://issuer.example", Style: v1alpha1.AuthStylePrivateKeyJWT}
	})
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(seen.PostForm.Get("client_assertion"), claims)
	if err != nil || claims["aud"] != "https://issuer.example" {
		t.Errorf("it is for %v, %v: not for the issuer that was named", claims["aud"], err)
	}
}

// signer is a key of a kind that there is no algorithm for.
type signer struct{ crypto.Signer }

func TestWhatCannotBeAsked(t *testing.T) {
	provider := newProvider(t, says(http.StatusOK, "application/json", `{"access_token":"`+given+`"}`))
	p224 := keyOf(t, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P224(), rand.Reader) })
	small := keyOf(t, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	jwtBy := func(key crypto.Signer) func(*tokenendpoint.Client, *tokenendpoint.Request) {
		return func(_ *tokenendpoint.Client, r *tokenendpoint.Request) {
			r.Client.Style, r.Client.Key = v1alpha1.AuthStylePrivateKeyJWT, key
		}
	}
	for name, change := range map[string]func(*tokenendpoint.Client, *tokenendpoint.Request){
		"a style that is not given": func(_ *tokenendpoint.Client, r *tokenendpoint.Request) { r.Client.Style = "" },
		"no key":                    jwtBy(nil),
		"a key of another curve":    jwtBy(p224),
		"a key of another kind":     jwtBy(signer{small}),
		"no randomness": func(c *tokenendpoint.Client, r *tokenendpoint.Request) {
			jwtBy(small)(c, r)
			c.Random = iotest.ErrReader(errors.New("none"))
		},
		"a URL that is none": func(_ *tokenendpoint.Client, r *tokenendpoint.Request) { r.TokenURL += "\n" },
		"a URL with a user": func(_ *tokenendpoint.Client, r *tokenendpoint.Request) {
			r.TokenURL = strings.Replace(r.TokenURL, "://", "://u@", 1)
		},
		"a URL of another scheme": func(_ *tokenendpoint.Client, r *tokenendpoint.Request) {
			r.TokenURL = strings.Replace(r.TokenURL, "https", "ftp", 1)
		},
		"a host in a private network": func(_ *tokenendpoint.Client, r *tokenendpoint.Request) {
			r.TokenURL = "https://10.0.0.1/?key=" + inTheQuery
		},
		"a host whose metadata that is": func(_ *tokenendpoint.Client, r *tokenendpoint.Request) {
			r.TokenURL = "https://169.254.169.254/?key=" + inTheQuery
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, r := provider.client(), refresh(provider.URL)
			change(client, &r)
			answer := client.Do(t.Context(), r)
			if answer.Outcome != connector.NotSent || provider.asked.Load() != 0 {
				t.Errorf("got %+v", answer)
			}
			checkSilent(t, answer)
		})
	}
}

// TestARequestIsNotPrinted, whatever the verb.
func TestARequestIsNotPrinted(t *testing.T) {
	key := keyOf(t, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	r := refresh("https://a.example")
	r.Client.Key = key
	scalar := key.(*ecdsa.PrivateKey)
	raw, err := scalar.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		text := fmt.Sprintf(verb, r)
		for _, secret := range []string{clientSecret, presented, fmt.Sprintf("%d", raw[:8]), fmt.Sprintf("%x", raw[:8])} {
			if strings.Contains(text, strings.Trim(secret, "[]")) {
				t.Errorf("%s prints %s", verb, secret)
			}
		}
	}
}
