// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/leak"
)

func TestParseBearer(t *testing.T) {
	const noToken = "no bearer token"
	longest := strings.Repeat("a", oauth.MaxBearerLength)
	for _, row := range []struct {
		name   string
		header []string
		want   string
		code   string
	}{
		{name: "no header is no token", code: noToken},
		{name: "an empty header is no token", header: []string{""}, code: noToken},
		{name: "another scheme is no token", header: []string{"Basic YTpi"}, code: noToken},
		{name: "a scheme that begins alike is another scheme", header: []string{"Bearers abc"}, code: noToken},
		{name: "a token without a scheme is no token", header: []string{"abc.def.ghi"}, code: noToken},
		{name: "a tab does not end the scheme", header: []string{"Bearer\tabc"}, code: noToken},
		{name: "a token is taken", header: []string{"Bearer abc.def-ghi_jkl"}, want: "abc.def-ghi_jkl"},
		{name: "the scheme is case-insensitive", header: []string{"bEARER abc"}, want: "abc"},
		{name: "every character of b64token is taken", header: []string{"Bearer aZ09-._~+/=="}, want: "aZ09-._~+/=="},
		{name: "blanks around the token are forgiven", header: []string{"Bearer   abc "}, want: "abc"},
		{name: "the longest token is taken", header: []string{"Bearer " + longest}, want: longest},
		{name: "one byte more is refused", header: []string{"Bearer " + longest + "a"}, code: oauth.CodeInvalidToken},
		{name: "the scheme alone is an empty token", header: []string{"Bearer"}, code: oauth.CodeInvalidToken},
		{name: "blanks alone are an empty token", header: []string{"Bearer   "}, code: oauth.CodeInvalidToken},
		{name: "padding alone is an empty token", header: []string{"Bearer =="}, code: oauth.CodeInvalidToken},
		{name: "padding within is refused", header: []string{"Bearer a=b"}, code: oauth.CodeInvalidToken},
		{name: "two tokens are refused", header: []string{"Bearer abc def"}, code: oauth.CodeInvalidToken},
		{name: "a list is refused", header: []string{"Bearer abc,Bearer def"}, code: oauth.CodeInvalidToken},
		{name: "a quote is refused", header: []string{`Bearer "abc"`}, code: oauth.CodeInvalidToken},
		{name: "a line break is refused", header: []string{"Bearer abc\n"}, code: oauth.CodeInvalidToken},
		{name: "a NUL is refused", header: []string{"Bearer abc\x00"}, code: oauth.CodeInvalidToken},
		{name: "letters beyond ASCII are refused", header: []string{"Bearer äbc"}, code: oauth.CodeInvalidToken},
		{name: "a repeated header is refused", header: []string{"Bearer abc", "Bearer abc"}, code: oauth.CodeInvalidToken},
		{name: "a second scheme is refused too", header: []string{"Basic YTpi", "Bearer abc"}, code: oauth.CodeInvalidToken},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseBearer(row.header)
			if got != row.want || codeOf(err) != row.code {
				t.Errorf("got %q, %v; want %q, %q", got, err, row.want, row.code)
			}
			if (row.code == noToken) != errors.Is(err, oauth.ErrNoToken) {
				t.Errorf("%v: only a request without a token may say so", err)
			}
		})
	}
}

func FuzzParseBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer abc.def.ghi", "bearer  a=", "Basic YTpi", "Bearer ", "Bearer a b", "Bearer \x00", "Bearer ü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := oauth.ParseBearer([]string{header})
		if err != nil {
			if token != "" || !errors.Is(err, oauth.ErrNoToken) && codeOf(err) != oauth.CodeInvalidToken {
				t.Fatalf("got %q, %v", token, err)
			}
			if leak.Quotes(err.Error(), header) {
				t.Fatalf("the error quotes the header: %v", err)
			}
			return
		}
		if token == "" || len(token) > oauth.MaxBearerLength || strings.ContainsAny(token, " ,;\"\\\r\n\x00") {
			t.Fatalf("got the token %q", token)
		}
		if !strings.EqualFold(header[:7], "Bearer ") || !strings.Contains(header, token) {
			t.Fatalf("%q was taken from %q", token, header)
		}
		again, err := oauth.ParseBearer([]string{"Bearer " + token})
		if err != nil || again != token {
			t.Fatalf("%q was read as %q, %v", token, again, err)
		}
	})
}
