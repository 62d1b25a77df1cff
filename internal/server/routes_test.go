// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/oauthapi"
)

// routes are those of a token service that has been started just now: it knows no object and has no keys.
func routes(t *testing.T, issuerURL string) http.Handler {
	t.Helper()
	return routesFor(t, issuerURL, nil)
}

// routesFor are those that scripts of these origins may call.
func routesFor(t *testing.T, issuerURL string, origins []string) http.Handler {
	t.Helper()
	parsed, err := oauth.ParseIssuerURL(issuerURL, false)
	if err != nil {
		t.Fatal(err)
	}
	api := &oauthapi.API{
		Issuer:        &issuer.Service{Directory: &kube.Directory{}, Keys: &kube.Keys{}},
		AccountHeader: "X-Account",
		Metrics:       oauthapi.NewMetrics(prometheus.NewRegistry()),
		Audit:         audit.NewLog(logr.Discard()),
	}
	return server.Routes(api, parsed, server.Access{Origins: origins}, func() bool { return false })
}

func ask(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, http.NoBody))
	return answer
}

// TestMetadataIsFound: RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4.1, and what clients make of them.
func TestMetadataIsFound(t *testing.T) {
	for issuerURL, paths := range map[string][]string{
		"https://example.com": {"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"},
		"https://example.com/auth": {
			"/.well-known/oauth-authorization-server/auth", "/auth/.well-known/openid-configuration",
			"/.well-known/openid-configuration/auth", "/auth/.well-known/oauth-authorization-server",
			"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
		},
	} {
		handler := routes(t, issuerURL)
		for _, path := range paths {
			answer := ask(handler, http.MethodGet, path)
			var document struct {
				Issuer string `json:"issuer"`
			}
			if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil || answer.Code != http.StatusOK || document.Issuer != issuerURL {
				t.Errorf("%s of %s: got %d, issuer %q, %v", path, issuerURL, answer.Code, document.Issuer, err)
			}
			if got := answer.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("%s: got Content-Type %q", path, got)
			}
			if got := answer.Header().Get("Cache-Control"); got != "public, max-age=300" {
				t.Errorf("%s: got Cache-Control %q", path, got)
			}
		}
	}
}

// TestWhatIsAdvertisedIsServed: every endpoint in the metadata is there, and the list of them is complete.
func TestWhatIsAdvertisedIsServed(t *testing.T) {
	for _, issuerURL := range []string{"https://example.com", "https://example.com/auth"} {
		handler := routes(t, issuerURL)
		var document map[string]any
		if err := json.Unmarshal(ask(handler, http.MethodGet, "/.well-known/oauth-authorization-server").Body.Bytes(), &document); err != nil {
			t.Fatal(err)
		}
		advertised := map[string]string{}
		for name, value := range document {
			if text, isText := value.(string); isText && name != "issuer" {
				advertised[name] = text
			}
		}
		want := []string{"authorization_endpoint", "introspection_endpoint", "jwks_uri", "revocation_endpoint", "token_endpoint"}
		if got := slices.Sorted(maps.Keys(advertised)); !slices.Equal(got, want) {
			t.Errorf("advertised are %q, want %q", got, want)
		}
		for name, endpoint := range advertised {
			path, below := strings.CutPrefix(endpoint, "https://example.com")
			if answer := ask(handler, http.MethodGet, path); !below || answer.Code == http.StatusNotFound {
				t.Errorf("%s, %s: got %d", name, endpoint, answer.Code)
			}
		}
	}
}

// TestUnknownPaths: a 5xx on a well-known path is fatal to clients that try several.
func TestUnknownPaths(t *testing.T) {
	handler := routes(t, "https://example.com/auth")
	for _, path := range []string{
		"/", "/auth", "/oauth/token", "/oauth/authorize", "/.well-known", "/.well-known/", "/auth/.well-known/",
		"/.well-known/oauth-authorization-server/", "/.well-known/oauth-authorization-server/other",
		"/.well-known/oauth-authorization-server/auth/more", "/other/.well-known/openid-configuration",
		"/.well-known/oauth-protected-resource", "/.well-known/security.txt", "/.well-known/../oauth/token",
		"//.well-known/openid-configuration", "/.well-known/openid-configuration/%2e%2e", "/.WELL-KNOWN/openid-configuration",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
			if answer := ask(handler, method, path); answer.Code != http.StatusNotFound {
				t.Errorf("%s %s: got %d", method, path, answer.Code)
			}
		}
	}
}
