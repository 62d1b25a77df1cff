// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// Authorize is the authorization endpoint: GET /oauth/authorize (RFC 6749 section 3.1). Clients of MCP refuse a server that
// has none. Whoever is sent here is told why it cannot be, and is never sent on: no client has a redirect URI.
func (*API) Authorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		respond.MethodNotAllowed(w, "GET, HEAD")
		return
	}
	respond.AuthorizationError(w, r, oauth.RefuseAuthorization(r.URL.RawQuery))
}
