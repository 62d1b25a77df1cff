// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

func TestParseIssuerURL(t *testing.T) {
	for _, row := range []struct {
		name      string
		text      string
		plainHTTP bool
		path      string
		refused   bool
	}{
		{name: "https is accepted", text: "https://auth.example.com"},
		{name: "a port is accepted", text: "https://auth.example.com:8443"},
		{name: "a path is accepted", text: "https://example.com/auth/v1", path: "/auth/v1"},
		{name: "an IPv6 address is accepted", text: "https://[2001:db8::1]:8443"},
		{name: "http is accepted on localhost", text: "http://localhost:8080"},
		{name: "http is accepted on 127.0.0.1", text: "http://127.0.0.1:8080"},
		{name: "http is accepted on all of 127.0.0.0/8", text: "http://127.9.9.9"},
		{name: "http is accepted on ::1", text: "http://[::1]:8080"},
		{name: "http is accepted elsewhere where that is allowed", text: "http://auth.claviger-system.svc", plainHTTP: true},

		{name: "http is refused elsewhere", text: "http://auth.example.com", refused: true},
		{name: "a name that begins like loopback is elsewhere", text: "http://127.0.0.1.example.com", refused: true},
		{name: "a name that ends like loopback is elsewhere", text: "http://localhost.example.com", refused: true},
		{name: "a user like loopback does not make it loopback", text: "http://localhost@example.com", refused: true},
		{name: "the unspecified address is not loopback", text: "http://0.0.0.0:8080", refused: true},
		{name: "an empty text is refused", refused: true},
		{name: "a bare host is refused", text: "auth.example.com", refused: true},
		{name: "a path is refused", text: "/auth", refused: true},
		{name: "a missing host is refused", text: "https:///auth", refused: true},
		{name: "a port without a host is refused", text: "https://:8443", refused: true},
		{name: "a missing scheme is refused", text: "//auth.example.com", refused: true},
		{name: "another scheme is refused", text: "ftp://auth.example.com", refused: true},
		{name: "another scheme is refused even where plain HTTP is allowed", text: "ws://auth.example.com", plainHTTP: true, refused: true},
		{name: "an opaque URL is refused", text: "https:auth.example.com", refused: true},
		{name: "a user is refused", text: "https://me@auth.example.com", refused: true},
		{name: "a query is refused", text: "https://auth.example.com?a=b", refused: true},
		{name: "an empty query is refused", text: "https://auth.example.com?", refused: true},
		{name: "a fragment is refused", text: "https://auth.example.com#a", refused: true},
		{name: "an empty fragment is refused", text: "https://auth.example.com#", refused: true},
		{name: "a trailing slash is refused", text: "https://auth.example.com/", refused: true},
		{name: "a trailing slash after a path is refused", text: "https://example.com/auth/", refused: true},
		{name: "a path with an escape is refused", text: "https://example.com/a%20b", refused: true},
		{name: "a path with an empty segment is refused", text: "https://example.com//auth", refused: true},
		{name: "a path with a dot segment is refused", text: "https://example.com/../auth", refused: true},
		{name: "a path that a router would read as a pattern is refused", text: "https://example.com/{auth}", refused: true},
		{name: "a blank is refused", text: "https://auth.example.com ", refused: true},
		{name: "a line break is refused", text: "https://auth.example.com\n", refused: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseIssuerURL(row.text, row.plainHTTP)
			if (err != nil) != row.refused {
				t.Fatalf("got %v", err)
			}
			want := row.text
			if row.refused {
				want = ""
			}
			if got.String() != want || got.Path() != row.path {
				t.Errorf("got %q with path %q; want it byte for byte as written, with path %q", got, got.Path(), row.path)
			}
		})
	}
}

func TestIssuerEndpoint(t *testing.T) {
	issuer, err := oauth.ParseIssuerURL("https://example.com/auth", false)
	if err != nil {
		t.Fatal(err)
	}
	if got := issuer.Endpoint("/oauth/token"); got != "https://example.com/auth/oauth/token" {
		t.Errorf("got %q", got)
	}
}

func TestIsLoopbackAddress(t *testing.T) {
	for _, row := range []struct {
		name    string
		address string
		want    bool
	}{
		{"127.0.0.1 is loopback", "127.0.0.1:8080", true},
		{"::1 is loopback", "[::1]:8080", true},
		{"localhost is loopback", "localhost:8080", true},
		{"an empty host is every interface", ":8080", false},
		{"0.0.0.0 is every interface", "0.0.0.0:8080", false},
		{":: is every interface", "[::]:8080", false},
		{"another address is reachable from outside", "10.0.0.1:8080", false},
		{"another name may be reachable from outside", "example.com:8080", false},
		{"an address without a port is none", "127.0.0.1", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oauth.IsLoopbackAddress(row.address); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
