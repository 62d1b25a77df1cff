// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

// minimalRevocation is the least body of a revocation request that is well-formed.
const minimalRevocation = "client_id=acme.orders&client_secret=s3cret&token=a.b.c"

func TestParseRevocationRequest(t *testing.T) {
	for _, row := range []struct {
		name  string
		raw   oauth.RawRequest
		token string
		code  string
	}{
		{name: "the least request is accepted", raw: post(minimalRevocation), token: "a.b.c"},
		{name: "the order of parameters has no meaning", raw: post("token=a.b.c&client_secret=s3cret&client_id=acme.orders"), token: "a.b.c"},
		{name: "the token is form-decoded, and may be anything", raw: post("client_id=acme.orders&client_secret=s3cret&token=%22+%C3%BC"), token: "\" ü"},
		{name: "a hint is ignored", raw: post(minimalRevocation + "&token_type_hint=access_token"), token: "a.b.c"},
		{name: "so is one that is wrong", raw: post(minimalRevocation + "&token_type_hint=refresh_token"), token: "a.b.c"},
		{name: "so is one that nobody knows", raw: post(minimalRevocation + "&token_type_hint=%22"), token: "a.b.c"},
		{name: "unknown parameters are ignored", raw: post(minimalRevocation + "&grant_type=password&scope=%22&resource=x"), token: "a.b.c"},

		{name: "a repeated hint is malformed", raw: post(minimalRevocation + "&token_type_hint=a&token_type_hint=b"), code: oauth.CodeInvalidRequest},
		{name: "a repeated token is malformed", raw: post(minimalRevocation + "&token=d"), code: oauth.CodeInvalidRequest},
		{name: "a missing token is malformed", raw: post("client_id=acme.orders&client_secret=s3cret"), code: oauth.CodeInvalidRequest},
		{name: "an empty token counts as left out", raw: post("client_id=acme.orders&client_secret=s3cret&token="), code: oauth.CodeInvalidRequest},
		{name: "an overlong token is malformed", raw: post(minimalRevocation + strings.Repeat("a", 16<<10)), code: oauth.CodeInvalidRequest},
		{name: "a token that is no text is malformed", raw: post(minimalRevocation + "%00"), code: oauth.CodeInvalidRequest},
		{name: "another content type is malformed", raw: oauth.RawRequest{ContentType: "application/json", Body: []byte(minimalRevocation)}, code: oauth.CodeInvalidRequest},
		{name: "a token in the URL is refused", raw: oauth.RawRequest{Query: "token=a.b.c", ContentType: formType, Body: []byte(minimalRevocation)}, code: oauth.CodeInvalidRequest},
		{name: "the client comes before the token", raw: post(""), code: oauth.CodeInvalidClient},
		{name: "a client without a secret is not authenticated", raw: post("client_id=acme.orders&token=a.b.c"), code: oauth.CodeInvalidClient},
		{
			name: "two ways of client authentication are refused", code: oauth.CodeInvalidRequest,
			raw: oauth.RawRequest{ContentType: formType, Authorization: []string{basicHeader("acme.orders:s3cret")}, Body: []byte(minimalRevocation)},
		},
		{
			name: "the client may be in the header", token: "a.b.c",
			raw: oauth.RawRequest{ContentType: formType, Authorization: []string{basicHeader("acme.orders:s3cret")}, Body: []byte("token=a.b.c")},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseRevocationRequest(row.raw)
			if codeOf(err) != row.code || got.Token != row.token {
				t.Fatalf("got the token %q, %v; want code %q", got.Token, err, row.code)
			}
			var want []string
			if row.code == "" {
				want = []string{"acme.orders|s3cret"}
			}
			if !slices.Equal(readings(got.Client), want) {
				t.Errorf("got client %q", readings(got.Client))
			}
		})
	}
}

func FuzzParseRevocationRequest(f *testing.F) {
	f.Add("", formType, "", minimalRevocation+"&token_type_hint=access_token")
	f.Add("", formType, basicHeader("a%2Bb:c+d"), "token=a.b.c")
	f.Add("token=a", formType, "", minimalRevocation)
	f.Add("", formType, "Bearer a.b.c", "token=a.b.c")
	f.Add("", formType, "", minimalRevocation+"%ff")
	f.Fuzz(func(t *testing.T, query, contentType, authorization, body string) {
		raw := oauth.RawRequest{Query: query, ContentType: contentType, Body: []byte(body)}
		if authorization != "" {
			raw.Authorization = []string{authorization}
		}
		request, err := oauth.ParseRevocationRequest(raw)
		if err != nil {
			checkRefusal(t, err, authorization)
			if request.Token != "" || len(request.Client.Readings) > 0 {
				t.Fatalf("a refused request gave %v", request.Client)
			}
			return
		}
		values, parseErr := url.ParseQuery(body)
		if query != "" || parseErr != nil || len(values["token"]) != 1 || values.Get("token") != request.Token || request.Token == "" {
			t.Fatalf("accepted query %q, body %q", query, body)
		}
		checkClient(t, request.Client, authorization != "")
	})
}
