// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

func TestClientInBody(t *testing.T) {
	for _, row := range []struct {
		name string
		body string
		want []string
		code string
	}{
		{name: "ID and secret are taken as they are", body: "client_id=a%2Bb&client_secret=c%252Bd", want: []string{"a+b|c%2Bd"}},
		{name: "no client is invalid_client", code: oauth.CodeInvalidClient},
		{name: "a missing secret is invalid_client", body: "client_id=a", code: oauth.CodeInvalidClient},
		{name: "a missing ID is invalid_client", body: "client_secret=b", code: oauth.CodeInvalidClient},
		{name: "an empty secret counts as left out", body: "client_id=a&client_secret=", code: oauth.CodeInvalidClient},
		{name: "an empty ID counts as left out", body: "client_id=&client_secret=b", code: oauth.CodeInvalidClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseTokenRequest(post("grant_type=client_credentials&" + row.body))
			if codeOf(err) != row.code || !slices.Equal(readings(got.Client), row.want) {
				t.Fatalf("got %q, %v", readings(got.Client), err)
			}
			if row.code == "" && got.Client.Method != oauth.MethodSecretPost {
				t.Errorf("got method %q", got.Client.Method)
			}
		})
	}
}

func TestClientInHeader(t *testing.T) {
	encoded := strings.TrimPrefix(basicHeader("a:b"), "Basic ")
	for _, row := range []struct {
		name   string
		header []string
		body   string
		want   []string
		code   string
	}{
		{name: "raw credentials have one reading", header: []string{basicHeader("acme.orders:clvs_-_")}, want: []string{"acme.orders|clvs_-_"}},
		{name: "the scheme is case-insensitive", header: []string{"bASIC " + encoded}, want: []string{"a|b"}},
		{name: "blanks around the credentials are forgiven", header: []string{"Basic   " + encoded + " "}, want: []string{"a|b"}},
		{name: "the secret may hold colons", header: []string{basicHeader("a:b:c:")}, want: []string{"a|b:c:"}},
		{name: "UTF-8 is accepted", header: []string{basicHeader("ä:ß")}, want: []string{"ä|ß"}},

		{name: "an escape has two readings, raw first", header: []string{basicHeader("a:b%2Bc")}, want: []string{"a|b%2Bc", "a|b+c"}},
		{name: "a plus sign has two readings", header: []string{basicHeader("a:b+c")}, want: []string{"a|b+c", "a|b c"}},
		{name: "the ID is decoded too", header: []string{basicHeader("a%3Ab:c")}, want: []string{"a%3Ab|c", "a:b|c"}},
		{name: "what does not decode has one reading", header: []string{basicHeader("a:100%")}, want: []string{"a|100%"}},
		{name: "what decodes to a NUL has one reading", header: []string{basicHeader("a:b%00")}, want: []string{"a|b%00"}},
		{name: "what decodes to no UTF-8 has one reading", header: []string{basicHeader("a:b%ff")}, want: []string{"a|b%ff"}},

		{name: "client_id may be repeated in the body", header: []string{basicHeader("a:b")}, body: "&client_id=a", want: []string{"a|b"}},
		{name: "client_id chooses among the readings", header: []string{basicHeader("a%2Bb:c")}, body: "&client_id=a%2Bb", want: []string{"a+b|c"}},
		{name: "client_id leaves both readings where both have it", header: []string{basicHeader("a:b+c")}, body: "&client_id=a", want: []string{"a|b+c", "a|b c"}},
		{name: "an empty client_id and client_secret count as left out", header: []string{basicHeader("a:b")}, body: "&client_id=&client_secret=", want: []string{"a|b"}},

		{name: "another client_id in the body is malformed", header: []string{basicHeader("a:b")}, body: "&client_id=c", code: oauth.CodeInvalidRequest},
		{name: "a secret in the body too is malformed", header: []string{basicHeader("a:b")}, body: "&client_id=a&client_secret=b", code: oauth.CodeInvalidRequest},
		{name: "a secret in the body beside any header is malformed", header: []string{"Bearer abc"}, body: "&client_secret=b", code: oauth.CodeInvalidRequest},
		{name: "a repeated header is malformed", header: []string{basicHeader("a:b"), basicHeader("a:b")}, code: oauth.CodeInvalidRequest},

		{name: "another scheme is invalid_client", header: []string{"Bearer abc"}, code: oauth.CodeInvalidClient},
		{name: "an empty header is invalid_client", header: []string{""}, code: oauth.CodeInvalidClient},
		{name: "the scheme alone is invalid_client", header: []string{"Basic"}, code: oauth.CodeInvalidClient},
		{name: "what is not base64 is invalid_client", header: []string{"Basic a:b"}, code: oauth.CodeInvalidClient},
		{name: "base64 without padding is invalid_client", header: []string{strings.TrimRight(basicHeader("a:bc"), "=")}, code: oauth.CodeInvalidClient},
		{name: "credentials without a colon are invalid_client", header: []string{basicHeader("ab")}, code: oauth.CodeInvalidClient},
		{name: "an empty ID is invalid_client", header: []string{basicHeader(":b")}, code: oauth.CodeInvalidClient},
		{name: "an empty secret is invalid_client", header: []string{basicHeader("a:")}, code: oauth.CodeInvalidClient},
		{name: "a NUL is invalid_client", header: []string{basicHeader("a:b\x00")}, code: oauth.CodeInvalidClient},
		{name: "invalid UTF-8 is invalid_client", header: []string{basicHeader("a:\xff")}, code: oauth.CodeInvalidClient},
		{name: "4096 characters are accepted", header: []string{basicHeader("a:" + strings.Repeat("b", 3070))}, want: []string{"a|" + strings.Repeat("b", 3070)}},
		{name: "more are invalid_client", header: []string{basicHeader("a:" + strings.Repeat("b", 3071))}, code: oauth.CodeInvalidClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := post("grant_type=client_credentials" + row.body)
			raw.Authorization = row.header
			got, err := oauth.ParseTokenRequest(raw)
			if codeOf(err) != row.code || !slices.Equal(readings(got.Client), row.want) {
				t.Fatalf("got %q, %v; want %q, code %q", readings(got.Client), err, row.want, row.code)
			}
			if row.code == "" && got.Client.Method != oauth.MethodSecretBasic {
				t.Errorf("got method %q", got.Client.Method)
			}
		})
	}
}

func FuzzBasic(f *testing.F) {
	for _, credentials := range []string{"a:b", "a%2Bb:c+d", "a:100%", "a:b%00", ":", "a:\xff", "a", "ä:ß", "a:b:c"} {
		f.Add(basicHeader(credentials))
	}
	for _, header := range []string{"Basic", "Basic !", "bearer abc", "Basic YTpi=", "Basic YTpi\n"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		raw := post("grant_type=client_credentials")
		raw.Authorization = []string{header}
		request, err := oauth.ParseTokenRequest(raw)
		if err != nil {
			if codeOf(err) != oauth.CodeInvalidClient {
				t.Fatalf("got %v", err)
			}
			if leak.Quotes(err.Error(), header) {
				t.Fatalf("the error quotes the header: %v", err)
			}
			return
		}
		checkClient(t, request.Client, true)
		_, encoded, _ := strings.Cut(header, " ")
		decoded, err := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
		raws := request.Client.Readings[0]
		if err != nil || raws.ClientID+":"+raws.Secret.Reveal() != string(decoded) {
			t.Fatalf("the first reading of %q is %q", header, readings(request.Client)[0])
		}
	})
}
