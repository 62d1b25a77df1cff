// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/oauthapi"
)

// Paths of the token service. Those of OAuth stand below the issuer's own path, because RFC 8414 makes the issuer the
// base of its endpoints; /verify is for gateways, which call the Service and not the issuer.
const (
	PathAuthorize  = "/oauth/authorize"
	PathToken      = oauth.PathToken
	PathRevoke     = oauth.PathRevoke
	PathIntrospect = oauth.PathIntrospect
	PathJWKS       = "/oauth/jwks"
	PathVerify     = "/verify"
	PathHealthy    = "/healthz"
	PathReady      = "/readyz"
	PathMetrics    = "/metrics"
)

// Access is how the public port may be called, beside what the endpoints say.
type Access struct {
	// Origins whose scripts may call the endpoints that take secrets; none by default. Public documents are for all.
	Origins []string
	Tracing Tracing
}

// Routes is every route of the public port. Each endpoint bounds its own methods and body; the server bounds headers and
// time. What is advertised in the metadata is what is routed here, and nothing else.
func Routes(api *oauthapi.API, issuer oauth.IssuerURL, access Access, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	observed := func(label string, serve http.HandlerFunc) http.Handler {
		return access.Tracing.endpoint(label, api.Metrics.Time(label, serve))
	}
	described := oauth.Server{
		Issuer: issuer, Scopes: builtInScopes(), SigningAlgorithms: keyring.Algorithms(), AssertionAlgorithms: assertion.Algorithms(),
	}
	for _, endpoint := range []struct {
		path       string
		label      string
		serve      http.HandlerFunc
		reach      func(http.Handler) http.Handler
		advertised *string
	}{
		{PathAuthorize, "authorize", api.Authorize, nobody, &described.Endpoints.Authorize},
		{PathToken, "token", api.Token, access.shared, &described.Endpoints.Token},
		{PathRevoke, "revoke", api.Revoke, access.shared, &described.Endpoints.Revoke},
		{PathIntrospect, "introspect", api.Introspect, access.shared, &described.Endpoints.Introspect},
		{PathJWKS, "jwks", api.JWKS, public, &described.Endpoints.JWKS},
	} {
		mux.Handle(issuer.Path()+endpoint.path, endpoint.reach(observed(endpoint.label, endpoint.serve)))
		*endpoint.advertised = endpoint.path
	}
	metadata := public(observed("metadata", oauthapi.Metadata(described.Metadata())))
	for _, path := range described.MetadataPaths() {
		mux.Handle(path, metadata)
	}
	resource := public(observed("resource_metadata", api.ProtectedResource))
	for _, below := range slices.Compact([]string{"", issuer.Path()}) {
		mux.Handle(below+oauth.PathResourceMetadata+"/{namespace}/{name}", resource)
	}
	mux.Handle(PathVerify, observed("verify", api.Verify))
	health(mux, ready)
	return below(oauthapi.PathVerifyEnvoy, observed("verify", api.VerifyEnvoy), exact(mux))
}

func builtInScopes() oauth.Scopes {
	return oauth.Scopes{string(v1alpha1.ScopeWebhook), string(v1alpha1.ScopeMCP), string(v1alpha1.ScopeAPI)}
}

// OperationsRoutes is every route of the second port, which is for the cluster's own eyes.
func OperationsRoutes(metrics http.Handler, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(PathMetrics, metrics)
	health(mux, ready)
	return exact(mux)
}

// below gives requests that begin with a path to a handler of their own. What follows is somebody else's path and query, clean
// or not: the mux would redirect it, and nobody shall see it but who reads RequestURI.
func below(prefix string, handler, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.RequestURI, prefix) {
			bare := r.WithContext(r.Context())
			bare.URL = &url.URL{Path: prefix}
			handler.ServeHTTP(w, bare)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// exact answers 404 to a path that is not clean. The mux would redirect it, and repeat a query that may hold a secret.
func exact(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != r.URL.Path {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// health is on both ports: a probe of the public one proves that it is served, one of the other needs no TLS.
func health(mux *http.ServeMux, ready func() bool) {
	mux.HandleFunc(PathHealthy, func(w http.ResponseWriter, _ *http.Request) { report(w, true) })
	mux.HandleFunc(PathReady, func(w http.ResponseWriter, _ *http.Request) { report(w, ready()) })
}

func report(w http.ResponseWriter, good bool) {
	status, text := http.StatusOK, "ok\n"
	if !good {
		status, text = http.StatusServiceUnavailable, "not ready: waiting for the API server's objects or for key material, or about to stop\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
