// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// unsigned makes something of the form of a JWT.
func unsigned(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

// asserting makes the body of a token request; more are name, value pairs.
func asserting(assertion string, more ...string) string {
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {jwtBearer}, "client_assertion": {assertion}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form.Encode()
}

func TestClientAssertion(t *testing.T) {
	own := unsigned(`{"sub":"acme.orders"}`)
	pod := unsigned(`{"sub":"system:serviceaccount:acme:orders"}`)
	for _, row := range []struct {
		name, body           string
		authorization        []string
		client, method, code string
	}{
		{name: "sub names the client", body: asserting(own), client: "acme.orders", method: "private_key_jwt"},
		{name: "client_id may name it too", body: asserting(own, "client_id", "acme.orders"), client: "acme.orders", method: "private_key_jwt"},
		{name: "client_id names another", body: asserting(own, "client_id", "acme.agents"), code: oauth.CodeInvalidRequest},
		{name: "a ServiceAccount token with client_id", body: asserting(pod, "client_id", "acme.orders"), client: "acme.orders", method: "service_account_token"},
		{name: "a ServiceAccount token without it", body: asserting(pod), code: oauth.CodeInvalidRequest},
		{name: "empty parameters count as left out", body: asserting(own, "client_secret", "", "client_id", ""), client: "acme.orders", method: "private_key_jwt"},

		{name: "a secret too", body: asserting(own, "client_secret", "s3cret"), code: oauth.CodeInvalidRequest},
		{name: "HTTP Basic too", body: asserting(own), authorization: []string{basicHeader("a:b")}, code: oauth.CodeInvalidRequest},
		{name: "HTTP Basic and a secret", body: "grant_type=client_credentials&client_secret=s3cret", authorization: []string{basicHeader("a:b")}, code: oauth.CodeInvalidRequest},
		{name: "a type without an assertion", body: asserting(""), code: oauth.CodeInvalidRequest},
		{name: "an assertion without a type", body: asserting(own, "client_assertion_type", ""), code: oauth.CodeInvalidRequest},
		{name: "a type and a secret", body: asserting("", "client_secret", "s3cret"), code: oauth.CodeInvalidRequest},
		{name: "SAML", body: asserting(own, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), code: oauth.CodeInvalidClient},
		{name: "no JWT", body: asserting("canary-0123456789"), code: oauth.CodeInvalidClient},
		{name: "four parts", body: asserting(own + ".x"), code: oauth.CodeInvalidClient},
		{name: "no base64url", body: asserting("e30.???.x"), code: oauth.CodeInvalidClient},
		{name: "no JSON", body: asserting(unsigned("canary-0123456789")), code: oauth.CodeInvalidClient},
		{name: "no object", body: asserting(unsigned(`"acme.orders"`)), code: oauth.CodeInvalidClient},
		{name: "no sub", body: asserting(unsigned(`{}`)), code: oauth.CodeInvalidClient},
		{name: "a sub that is no text", body: asserting(unsigned(`{"sub":1}`)), code: oauth.CodeInvalidClient},
		{name: "an assertion of 20 KiB", body: asserting(strings.Repeat("x", 20<<10)), code: oauth.CodeInvalidRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := post(row.body)
			raw.Authorization = row.authorization
			got, err := oauth.ParseTokenRequest(raw)
			if codeOf(err) != row.code || got.Client.Method != row.method || got.Client.Assertion.ClientID != row.client || len(got.Client.Readings) > 0 {
				t.Fatalf("got %+v, %v", got.Client, err)
			}
			if row.code == "" && (!slices.Equal(got.Client.ClientIDs(), []string{row.client}) || got.Client.Endpoint != "/oauth/token") {
				t.Errorf("got %+v", got.Client)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the assertion: %v", err)
			}
			if printed := fmt.Sprintf("%v %+v %#v", got, got, got); leak.Quotes(printed, own) || leak.Quotes(printed, pod) {
				t.Error("the assertion is printed")
			}
		})
	}
}

// TestIntrospectionCaller: a ServiceAccount may bring its token as bearer, and nobody else may.
func TestIntrospectionCaller(t *testing.T) {
	for _, row := range []struct {
		name          string
		authorization []string
		body          string
		method, code  string
	}{
		{name: "a bearer token", authorization: []string{"Bearer a.b.c"}, body: "token=x", method: "service_account_token"},
		{name: "the scheme is case-insensitive", authorization: []string{"bEARER a.b.c"}, body: "token=x", method: "service_account_token"},
		{name: "HTTP Basic is a client's", authorization: []string{basicHeader("a:b")}, body: "token=x", method: "client_secret_basic"},
		{name: "an empty bearer token", authorization: []string{"Bearer "}, body: "token=x", code: oauth.CodeInvalidToken},
		{name: "a bearer token that is none", authorization: []string{`Bearer "`}, body: "token=x", code: oauth.CodeInvalidToken},
		{name: "two headers", authorization: []string{"Bearer a", "Bearer a"}, body: "token=x", code: oauth.CodeInvalidRequest},
		{name: "a bearer token and a secret", authorization: []string{"Bearer a"}, body: "token=x&client_secret=x", code: oauth.CodeInvalidRequest},
		{name: "a bearer token and an assertion", authorization: []string{"Bearer a"}, body: "token=x&client_assertion=x", code: oauth.CodeInvalidRequest},
		{name: "no token to ask about", authorization: []string{"Bearer a"}, body: "x=y", code: oauth.CodeInvalidRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := post(row.body)
			raw.Authorization = row.authorization
			got, err := oauth.ParseIntrospectionRequest(raw)
			if codeOf(err) != row.code || got.Client.Method != row.method {
				t.Errorf("got %+v, %v", got.Client, err)
			}
		})
	}
	for name, parse := range map[string]func(oauth.RawRequest) error{
		"the token endpoint":      func(raw oauth.RawRequest) error { _, err := oauth.ParseTokenRequest(raw); return err },
		"the revocation endpoint": func(raw oauth.RawRequest) error { _, err := oauth.ParseRevocationRequest(raw); return err },
	} {
		raw := post("grant_type=client_credentials&token=x&client_id=acme.orders")
		raw.Authorization = []string{"Bearer a.b.c"}
		if code := codeOf(parse(raw)); code != oauth.CodeInvalidClient {
			t.Errorf("%s takes a bearer token: %s", name, code)
		}
	}
}

// FuzzClientAssertion: whatever is sent, there is one method, it names one client, and no error quotes it.
func FuzzClientAssertion(f *testing.F) {
	f.Add(unsigned(`{"sub":"acme.orders"}`), jwtBearer, "", "", "")
	f.Add(unsigned(`{"sub":"system:serviceaccount:a:b"}`), jwtBearer, "acme.orders", "", "")
	f.Add("a.b.c", "x", "a", "b", "")
	f.Add("", "", "", "", "Bearer a.b.c")
	f.Fuzz(func(t *testing.T, assertion, kind, id, secret, authorization string) {
		form := url.Values{"grant_type": {"client_credentials"}, "client_assertion": {assertion}, "client_assertion_type": {kind}, "client_id": {id}, "client_secret": {secret}, "token": {"x"}}
		raw := post(form.Encode())
		if authorization != "" {
			raw.Authorization = []string{authorization}
		}
		request, err := oauth.ParseTokenRequest(raw)
		if err != nil {
			if len(assertion) > 30 && strings.Contains(err.Error(), assertion) {
				t.Fatalf("the error quotes the assertion: %v", err)
			}
			return
		}
		client := request.Client
		asserted := client.Assertion.JWT.Reveal() != ""
		if asserted == (len(client.Readings) > 0) || len(client.ClientIDs()) == 0 || asserted && (secret != "" || authorization != "" || kind != jwtBearer || client.Assertion.ClientID == "") {
			t.Fatalf("got %+v", client)
		}
		if _, err := oauth.ParseIntrospectionRequest(raw); err != nil {
			t.Fatalf("a client that is well-formed at one endpoint is not at another: %v", err)
		}
	})
}
