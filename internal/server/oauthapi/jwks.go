// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// jwksCacheControl lets offline verifiers keep the keys for five minutes.
const jwksCacheControl = "public, max-age=300"

// JWKS publishes the keys that tokens are signed with: GET /oauth/jwks (RFC 7517 section 5).
func (a *API) JWKS(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		respond.MethodNotAllowed(w, "GET, HEAD")
		return
	}
	ring, ok := a.Issuer.Keys.Ring()
	if !ok {
		respond.TokenError(w, oauth.ServerError(nil))
		return
	}
	w.Header().Set("Cache-Control", jwksCacheControl)
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(ring.JWKS())
}
