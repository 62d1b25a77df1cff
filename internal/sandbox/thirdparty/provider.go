// SPDX-License-Identifier: Apache-2.0

// Package thirdparty is an application of somebody else, as far as a sandbox needs one: its users sign in and let others act for them,
// by OAuth 2.0 with the authorization code grant, PKCE (RFC 7636), refresh tokens that work once (RFC 9700 section 2.2.2) and
// revocation (RFC 7009). It keeps everything in memory, and believes whoever says who they are.
package thirdparty

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// The application, and the one client that is registered there.
const (
	Name     = "Paperclip CRM"
	ClientID = "claviger-sandbox"
	// ClientSecret guards nothing: the application is there for as long as its sandbox, on loopback.
	ClientSecret = "not-a-secret"
	// TokenLifetime is that of an access token. It is short, so that a refresh can be watched.
	TokenLifetime = 20 * time.Second
)

// Paths of the application.
const (
	PathMetadata  = "/.well-known/oauth-authorization-server"
	PathAuthorize = "/authorize"
	PathToken     = "/token"
	PathRevoke    = "/revoke"
	PathMe        = "/me"
)

// headerTimeout bounds the headers of a request.
const headerTimeout = 5 * time.Second

// Application is one that runs.
type Application struct {
	// issuer is where it is, and redirects what its client's redirect URIs begin with.
	issuer    string
	redirects string
	now       func() time.Time
	listener  net.Listener

	mu     sync.Mutex
	codes  map[string]code
	grants []*grant
}

// New makes the application. redirects is what a redirect URI of its client begins with.
func New(listener net.Listener, redirects string, now func() time.Time) *Application {
	return &Application{
		issuer: "http://" + listener.Addr().String(), redirects: redirects, now: now, listener: listener, codes: map[string]code{},
	}
}

// Serve serves until the context ends. Then all that the application knew is gone.
func (a *Application) Serve(ctx context.Context) error {
	serving := &http.Server{Handler: a.routes(), ReadHeaderTimeout: headerTimeout}
	stop := context.AfterFunc(ctx, func() { _ = serving.Close() })
	defer stop()
	if err := serving.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", Name, err)
	}
	return nil
}

// Issuer gives its issuer identifier, below which all its paths are.
func (a *Application) Issuer() string { return a.issuer }

func (a *Application) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathMetadata, a.metadata)
	mux.HandleFunc("GET "+PathAuthorize, a.ask)
	mux.HandleFunc("POST "+PathAuthorize, a.answer)
	mux.HandleFunc("POST "+PathToken, a.token)
	mux.HandleFunc("POST "+PathRevoke, a.revoke)
	mux.HandleFunc("GET "+PathMe, a.me)
	return http.MaxBytesHandler(mux, maxBody)
}

// metadata is that of RFC 8414.
func (a *Application) metadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         a.issuer,
		"authorization_endpoint":                         a.issuer + PathAuthorize,
		"token_endpoint":                                 a.issuer + PathToken,
		"revocation_endpoint":                            a.issuer + PathRevoke,
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          []string{grantCode, grantRefresh},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	})
}

// me is all that there is to do at the application.
func (a *Application) me(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	held := a.byAccess(bearer(r))
	a.mu.Unlock()
	if held == nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+Name+`", error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"application": Name, "user": held.user})
}
