// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCrossOrigin: what a script of an origin may do is what a browser reads from these headers.
func TestCrossOrigin(t *testing.T) {
	const friend, stranger = "https://app.example.com", "https://evil.example.com"
	for _, row := range []struct {
		name           string
		allowed        []string
		method, path   string
		origin         string
		headers        string // of a preflight
		status         int
		allows, varies string
	}{
		{"a script of an origin that is allowed takes a token", []string{friend}, "POST", "/oauth/token", friend, "", 400, friend, "Origin"},
		{"its preflight", []string{friend}, "OPTIONS", "/oauth/token", friend, "authorization,content-type", 204, friend, "Origin"},
		{"its revocation", []string{friend}, "OPTIONS", "/oauth/revoke", friend, "authorization", 204, friend, "Origin"},
		{"its preflight with a header that we do not know", []string{friend}, "OPTIONS", "/oauth/token", friend, "x-evil", 204, "", "Origin"},
		{"a script of another origin", []string{friend}, "POST", "/oauth/token", stranger, "", 400, "", "Origin"},
		{"its preflight", []string{friend}, "OPTIONS", "/oauth/token", stranger, "content-type", 204, "", "Origin"},
		{"an origin that begins alike", []string{friend}, "POST", "/oauth/token", friend + ".evil.example", "", 400, "", "Origin"},
		{"another port", []string{friend}, "POST", "/oauth/token", friend + ":8443", "", 400, "", "Origin"},
		{"without TLS", []string{friend}, "POST", "/oauth/token", "http://app.example.com", "", 400, "", "Origin"},
		{"a sandboxed page", []string{friend}, "POST", "/oauth/token", "null", "", 400, "", "Origin"},
		{"nobody is allowed", nil, "POST", "/oauth/token", friend, "", 400, "", ""},
		{"nobody is allowed, by preflight", nil, "OPTIONS", "/oauth/token", friend, "content-type", 405, "", ""},
		{"a call that is no script's", []string{friend}, "POST", "/oauth/token", "", "", 400, "", "Origin"},
		{"metadata are for all", nil, "GET", "/.well-known/oauth-authorization-server", stranger, "", 200, "*", ""},
		{"also with a header of MCP", nil, "OPTIONS", "/.well-known/oauth-authorization-server", stranger, "mcp-protocol-version", 204, "*", ""},
		{"keys are for all", nil, "GET", "/oauth/jwks", stranger, "", 503, "*", ""},
		{"verdicts are for gateways", []string{friend}, "GET", "/verify", friend, "", 401, "", ""},
		{"pages are for people", []string{friend}, "GET", "/oauth/authorize", friend, "", 400, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			request := httptest.NewRequest(row.method, row.path, http.NoBody)
			if row.origin != "" {
				request.Header.Set("Origin", row.origin)
			}
			if row.method == http.MethodOptions {
				method := http.MethodPost
				if row.allows == "*" {
					method = http.MethodGet
				}
				request.Header.Set("Access-Control-Request-Method", method)
				request.Header.Set("Access-Control-Request-Headers", row.headers)
			}
			answer := httptest.NewRecorder()
			routesFor(t, "https://auth.example.com", row.allowed).ServeHTTP(answer, request)
			header := answer.Header()
			if answer.Code != row.status || header.Get("Access-Control-Allow-Origin") != row.allows {
				t.Errorf("got %d for %q", answer.Code, header.Get("Access-Control-Allow-Origin"))
			}
			if row.varies != "" && !strings.Contains(strings.Join(header.Values("Vary"), ","), row.varies) {
				t.Errorf("varies by %q", header.Values("Vary"))
			}
			if header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies are allowed")
			}
		})
	}
}
