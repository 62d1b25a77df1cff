// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/gate"
)

// described has a gate before a resource of that identifier.
func described(t *testing.T, identifier string) *world {
	t.Helper()
	resource, err := gate.NewResource(oauth.ResourceMetadata{
		Resource: identifier, AuthorizationServers: []string{"https://auth.example.com"}, Scopes: oauth.Scopes{"MCP"}, BearerMethods: oauth.BearerMethods(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var upstream seen
	return newWorld(t, upstream.serve, func(o *gate.Options) { o.Resource = func() *gate.Resource { return resource } })
}

// TestMetadata: RFC 9728 sections 2, 3.1 and 5.1.
func TestMetadata(t *testing.T) {
	for _, row := range []struct{ name, identifier, path, metadataURL string }{
		{"a resource with a path", "https://mcp.example.com/acme/mcp", "/.well-known/oauth-protected-resource/acme/mcp", "https://mcp.example.com/.well-known/oauth-protected-resource/acme/mcp"},
		{"for clients that look only at the root", "https://mcp.example.com/acme/mcp", "/.well-known/oauth-protected-resource", "https://mcp.example.com/.well-known/oauth-protected-resource/acme/mcp"},
		{"a resource without a path", "https://mcp.example.com", "/.well-known/oauth-protected-resource", "https://mcp.example.com/.well-known/oauth-protected-resource"},
		{"a resource that is a slash", "https://mcp.example.com:8443/", "/.well-known/oauth-protected-resource", "https://mcp.example.com:8443/.well-known/oauth-protected-resource"},
		{"a resource with a query", "https://mcp.example.com/mcp?tenant=a", "/.well-known/oauth-protected-resource/mcp?tenant=a", "https://mcp.example.com/.well-known/oauth-protected-resource/mcp?tenant=a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := described(t, row.identifier)
			request := w.request(t, http.MethodGet, row.path, nil)
			request.Header.Del("Authorization")
			response, body := w.do(t, request)
			var got map[string]any
			if err := json.Unmarshal([]byte(body), &got); err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("got %d %s, %v", response.StatusCode, body, err)
			}
			want := map[string]any{
				"resource": row.identifier, "authorization_servers": []any{"https://auth.example.com"},
				"scopes_supported": []any{"MCP"}, "bearer_methods_supported": []any{"header"},
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v", got)
			}

			w.refuse("good", oauth.InvalidToken(errors.New("revoked")))
			for _, authorization := range []string{"", "Bearer good"} {
				call := w.request(t, http.MethodGet, "/acme/mcp", nil)
				call.Header.Set("Authorization", authorization)
				refused, _ := w.do(t, call)
				if challenge := refused.Header.Get("WWW-Authenticate"); refused.StatusCode != http.StatusUnauthorized || !strings.Contains(challenge, `resource_metadata="`+row.metadataURL+`"`) {
					t.Errorf("got %d %s", refused.StatusCode, challenge)
				}
			}
		})
	}
}

func TestOnlyTheDocumentIsPublic(t *testing.T) {
	w := described(t, "https://mcp.example.com/mcp")
	for path, status := range map[string]int{
		"/.well-known/oauth-protected-resource/other": 401, "/.well-known/oauth-protected-resource/mcp/x": 401, "/.well-known/openid-configuration": 401,
	} {
		request := w.request(t, http.MethodGet, path, nil)
		request.Header.Del("Authorization")
		if response, _ := w.do(t, request); response.StatusCode != status {
			t.Errorf("%s: got %d", path, response.StatusCode)
		}
	}
	if response, _ := w.do(t, w.request(t, http.MethodPost, "/.well-known/oauth-protected-resource/mcp", nil)); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", response.StatusCode)
	}
	preflight := w.request(t, http.MethodOptions, "/.well-known/oauth-protected-resource/mcp", nil)
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", "GET")
	if response, _ := w.do(t, preflight); response.StatusCode != http.StatusNoContent || response.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a preflight: got %d", response.StatusCode)
	}
}

func TestIdentifiersThatCannotBe(t *testing.T) {
	for _, identifier := range []string{"", "mcp", "https://user@mcp.example.com", "https://mcp.example.com#x", "ftp://mcp.example.com"} {
		if _, err := gate.NewResource(oauth.ResourceMetadata{Resource: identifier}); err == nil {
			t.Errorf("%q is accepted", identifier)
		}
	}
}
