// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

func serverAt(t *testing.T, issuer string) oauth.Server {
	t.Helper()
	parsed, err := oauth.ParseIssuerURL(issuer, false)
	if err != nil {
		t.Fatal(err)
	}
	return oauth.Server{Issuer: parsed, Scopes: oauth.Scopes{"Webhook"}, SigningAlgorithms: []string{"ES256"}}
}

// TestMetadata: what is served is advertised, under the issuer, and nothing else is.
func TestMetadata(t *testing.T) {
	const issuer = "https://example.com/auth"
	always := map[string]any{
		"issuer":                                         issuer,
		"scopes_supported":                               []any{"Webhook"},
		"response_types_supported":                       []any{"code"},
		"grant_types_supported":                          []any{"client_credentials"},
		"code_challenge_methods_supported":               []any{"S256"},
		"authorization_response_iss_parameter_supported": true,
		"subject_types_supported":                        []any{"public"},
		"id_token_signing_alg_values_supported":          []any{"ES256"},
	}
	for _, row := range []struct {
		name      string
		endpoints oauth.Endpoints
		members   []string
		// authenticates: members that list methods of client authentication.
		authenticates []string
	}{
		{name: "no endpoint is served, and none advertised"},
		{name: "the authorization endpoint", endpoints: oauth.Endpoints{Authorize: "/x"}, members: []string{"authorization_endpoint"}},
		{
			name: "the token endpoint", endpoints: oauth.Endpoints{Token: "/x"}, members: []string{"token_endpoint"},
			authenticates: []string{"token_endpoint_auth_methods_supported"},
		},
		{name: "the keys", endpoints: oauth.Endpoints{JWKS: "/x"}, members: []string{"jwks_uri"}},
		{
			name: "the revocation endpoint", endpoints: oauth.Endpoints{Revoke: "/x"}, members: []string{"revocation_endpoint"},
			authenticates: []string{"revocation_endpoint_auth_methods_supported"},
		},
		{
			name: "the introspection endpoint", endpoints: oauth.Endpoints{Introspect: "/x"}, members: []string{"introspection_endpoint"},
			authenticates: []string{"introspection_endpoint_auth_methods_supported"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := serverAt(t, issuer)
			server.Endpoints = row.endpoints
			got := members(t, server.Metadata())
			for name, want := range always {
				if !equalJSON(t, got[name], want) {
					t.Errorf("%s: got %v, want %v", name, got[name], want)
				}
				delete(got, name)
			}
			for _, name := range row.members {
				if got[name] != issuer+"/x" {
					t.Errorf("%s: got %v", name, got[name])
				}
				delete(got, name)
			}
			for _, name := range row.authenticates {
				if methods, _ := got[name].([]any); !slices.Contains(methods, any("client_secret_basic")) || !slices.Contains(methods, any("client_secret_post")) {
					t.Errorf("%s: got %v", name, got[name])
				}
				delete(got, name)
			}
			for name, value := range got {
				t.Errorf("%s is advertised: %v", name, value)
			}
		})
	}
}

func TestMetadataPaths(t *testing.T) {
	for _, row := range []struct {
		name, issuer string
		want         []string
	}{
		{"an issuer without a path has one place for each kind", "https://example.com", []string{
			"/.well-known/oauth-authorization-server",
			"/.well-known/openid-configuration",
		}},
		{"an issuer with a path has it behind, before, and not at all", "https://example.com/auth/v1", []string{
			"/.well-known/oauth-authorization-server",
			"/.well-known/oauth-authorization-server/auth/v1",
			"/.well-known/openid-configuration",
			"/.well-known/openid-configuration/auth/v1",
			"/auth/v1/.well-known/oauth-authorization-server",
			"/auth/v1/.well-known/openid-configuration",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := serverAt(t, row.issuer).MetadataPaths(); !slices.Equal(got, row.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func members(t *testing.T, value any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	rawA, errA := json.Marshal(a)
	rawB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(rawA) == string(rawB)
}
