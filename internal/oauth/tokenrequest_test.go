// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

const formType = "application/x-www-form-urlencoded"

// minimal is the least body that is well-formed.
const minimal = "grant_type=client_credentials&client_id=acme.orders&client_secret=s3cret"

// post is a token request with a body and no Authorization header.
func post(body string) oauth.RawRequest {
	return oauth.RawRequest{ContentType: formType, Body: []byte(body)}
}

// basicHeader is an Authorization header of HTTP Basic, credentials as given.
func basicHeader(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// readings writes down what a client presented, "id|secret" each.
func readings(client oauth.ClientAuthentication) []string {
	var all []string
	for _, reading := range client.Readings {
		all = append(all, reading.ClientID+"|"+reading.Secret.Reveal())
	}
	return all
}

func TestParseTokenRequest(t *testing.T) {
	for _, row := range []struct {
		name      string
		body      string
		client    string
		scopes    oauth.Scopes
		resources []string
		code      string
	}{
		{name: "the least request is accepted", body: minimal},
		{name: "the order of parameters has no meaning", body: "client_secret=s3cret&client_id=acme.orders&grant_type=client_credentials"},
		{name: "values are form-decoded", body: "grant_type=client%5Fcredentials&client_id=a+b%2Bc&client_secret=%25%C3%BC", client: "a b+c|%ü"},
		{name: "scopes are parsed", body: minimal + "&scope=MCP+Webhook%20MCP", scopes: oauth.Scopes{"MCP", "Webhook"}},
		{name: "an empty scope counts as left out", body: minimal + "&scope="},
		{name: "a parameter without = counts as left out", body: minimal + "&scope"},
		{name: "a malformed scope is invalid_scope", body: minimal + "&scope=%22", code: oauth.CodeInvalidScope},
		{name: "an overlong scope is invalid_scope", body: minimal + "&scope=" + strings.Repeat("a", 4097), code: oauth.CodeInvalidScope},

		{name: "a resource is taken", body: minimal + "&resource=https://a", resources: []string{"https://a"}},
		{name: "resources repeat", body: minimal + "&resource=https://a&resource=https://b", resources: []string{"https://a", "https://b"}},
		{name: "audience is an alias of resource", body: minimal + "&audience=b&resource=a&audience=c", resources: []string{"a", "b", "c"}},
		{name: "empty resources count as left out", body: minimal + "&resource=&resource=a&audience=", resources: []string{"a"}},
		{name: "16 resources are accepted", body: minimal + strings.Repeat("&resource=a", 16), resources: slices.Repeat([]string{"a"}, 16)},
		{name: "17 resources are invalid_target", body: minimal + strings.Repeat("&resource=a", 17), code: oauth.CodeInvalidTarget},
		{name: "resource and audience count together", body: minimal + strings.Repeat("&resource=a", 9) + strings.Repeat("&audience=a", 8), code: oauth.CodeInvalidTarget},

		{name: "a missing grant type is malformed", body: "client_id=acme.orders&client_secret=s3cret", code: oauth.CodeInvalidRequest},
		{name: "an empty grant type counts as left out", body: "grant_type=&client_id=acme.orders&client_secret=s3cret", code: oauth.CodeInvalidRequest},
		{name: "an empty body has no grant type", body: "", code: oauth.CodeInvalidRequest},
		{name: "another grant type is not supported", body: "grant_type=password&client_id=a&client_secret=b", code: oauth.CodeUnsupportedGrantType},
		{name: "the grant type is case-sensitive", body: "grant_type=Client_Credentials&client_id=a&client_secret=b", code: oauth.CodeUnsupportedGrantType},
		{name: "the grant type comes before the client", body: "grant_type=password", code: oauth.CodeUnsupportedGrantType},
		{name: "the client comes before the scope", body: "grant_type=client_credentials&scope=%22", code: oauth.CodeInvalidClient},

		{name: "unknown parameters are ignored", body: minimal + "&foo=bar&assertion=x"},
		{name: "parameter names are case-sensitive", body: minimal + "&Scope=%22"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseTokenRequest(post(row.body))
			if codeOf(err) != row.code {
				t.Fatalf("got %v, want code %q", err, row.code)
			}
			want := []string{"acme.orders|s3cret"}
			if row.client != "" {
				want = []string{row.client}
			}
			if row.code != "" {
				want = nil
			}
			if !slices.Equal(readings(got.Client), want) || !slices.Equal(got.Scopes, row.scopes) || !slices.Equal(got.Resources, row.resources) {
				t.Errorf("got client %q, scopes %q, resources %q", readings(got.Client), got.Scopes, got.Resources)
			}
		})
	}
}

// TestQueryStringIsRefused: what is in a URL is in access logs.
func TestQueryStringIsRefused(t *testing.T) {
	for _, query := range []string{"client_secret=s3cret", "scope=MCP", "x", "%", "&"} {
		raw := post(minimal)
		raw.Query = query
		if _, err := oauth.ParseTokenRequest(raw); codeOf(err) != oauth.CodeInvalidRequest {
			t.Errorf("query %q: got %v", query, err)
		}
	}
}

func FuzzParseTokenRequest(f *testing.F) {
	f.Add("", formType, "", minimal+"&scope=Webhook&resource=a&audience=b")
	f.Add("", formType+"; charset=utf-8", basicHeader("a%2Bb:c+d"), "grant_type=client_credentials&client_id=a%2Bb")
	f.Add("a=b", formType, "", minimal)
	f.Add("", "application/json", "", `{"grant_type":"client_credentials"}`)
	f.Add("", formType, "", minimal+"&scope=%00;%ff&scope=&=&&")
	f.Add("", formType, basicHeader("a:b"), minimal)
	f.Add("", formType, "Basic !", "grant_type=client_credentials")
	f.Fuzz(func(t *testing.T, query, contentType, authorization, body string) {
		raw := oauth.RawRequest{Query: query, ContentType: contentType, Body: []byte(body)}
		if authorization != "" {
			raw.Authorization = []string{authorization}
		}
		request, err := oauth.ParseTokenRequest(raw)
		if err != nil {
			checkRefusal(t, err, authorization)
			if len(request.Client.Readings)+len(request.Scopes)+len(request.Resources) > 0 {
				t.Fatalf("a refused request gave %v", request)
			}
			return
		}
		values, parseErr := url.ParseQuery(body)
		if query != "" || parseErr != nil || values.Get("grant_type") != "client_credentials" || len(values["grant_type"]) != 1 {
			t.Fatalf("accepted query %q, body %q", query, body)
		}
		checkClient(t, request.Client, authorization != "")
		if again, err := oauth.ParseScopes(request.Scopes.String()); err != nil || !slices.Equal(again, request.Scopes) {
			t.Fatalf("got the scopes %q", request.Scopes)
		}
		if len(request.Resources) > 16 || slices.Contains(request.Resources, "") || !utf8.ValidString(strings.Join(request.Resources, "")) {
			t.Fatalf("got the resources %q", request.Resources)
		}
	})
}

// checkRefusal: a refusal is one of the documented codes, and does not quote credentials.
func checkRefusal(t *testing.T, err error, authorization string) {
	t.Helper()
	codes := []string{oauth.CodeInvalidRequest, oauth.CodeUnsupportedGrantType, oauth.CodeInvalidClient, oauth.CodeInvalidScope, oauth.CodeInvalidTarget}
	if !slices.Contains(codes, codeOf(err)) || strings.ContainsAny(err.Error(), "\"\\") {
		t.Fatalf("got %s", strconv.Quote(err.Error()))
	}
	if leak.Quotes(err.Error(), authorization) {
		t.Fatalf("the error quotes the header: %v", err)
	}
}

// checkClient: one reading, or two different ones from the header; none of them empty, all of them text.
func checkClient(t *testing.T, client oauth.ClientAuthentication, header bool) {
	t.Helper()
	all := readings(client)
	method, most := oauth.MethodSecretPost, 1
	if header {
		method, most = oauth.MethodSecretBasic, 2
	}
	if client.Method != method || len(all) == 0 || len(all) > most || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Fatalf("got method %q, readings %q", client.Method, all)
	}
	for _, reading := range client.Readings {
		secret := reading.Secret.Reveal()
		if reading.ClientID == "" || secret == "" || !utf8.ValidString(reading.ClientID+secret) || strings.ContainsRune(reading.ClientID+secret, 0) {
			t.Fatalf("got the reading %q, %q", reading.ClientID, secret)
		}
	}
}
