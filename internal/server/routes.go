// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"path"

	"github.com/claviger/claviger/internal/server/oauthapi"
)

// Paths of the token service. Those of OAuth stand below the issuer's own path, because RFC 8414 makes the issuer the
// base of its endpoints; /verify is for gateways, which call the Service and not the issuer.
const (
	PathToken   = "/oauth/token" //nolint:gosec // G101: a path, not a credential
	PathRevoke  = "/oauth/revoke"
	PathJWKS    = "/oauth/jwks"
	PathVerify  = "/verify"
	PathHealthy = "/healthz"
	PathReady   = "/readyz"
	PathMetrics = "/metrics"
)

// Routes is every route of the public port. issuerPath is the path of the issuer URL, without trailing slash. Each
// endpoint bounds its own methods and body; the server bounds headers and time.
func Routes(api *oauthapi.API, issuerPath string, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(issuerPath+PathToken, api.Metrics.Time("token", api.Token))
	mux.Handle(issuerPath+PathRevoke, api.Metrics.Time("revoke", api.Revoke))
	mux.Handle(issuerPath+PathJWKS, api.Metrics.Time("jwks", api.JWKS))
	mux.Handle(PathVerify, api.Metrics.Time("verify", api.Verify))
	health(mux, ready)
	return exact(mux)
}

// OperationsRoutes is every route of the second port, which is for the cluster's own eyes.
func OperationsRoutes(metrics http.Handler, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(PathMetrics, metrics)
	health(mux, ready)
	return exact(mux)
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
		status, text = http.StatusServiceUnavailable, "not ready: waiting for the API server's objects or for key material\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
