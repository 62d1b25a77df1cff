// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"fmt"
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// JWKS publishes the keys that tokens are signed with: GET /oauth/jwks (RFC 7517 section 5).
func (a *API) JWKS(w http.ResponseWriter, r *http.Request) {
	ring, ok := a.Issuer.Keys.Ring()
	if !ok {
		respond.TokenError(w, oauth.ServerError(nil))
		return
	}
	respond.Document(w, r, respond.Cacheable{
		Type:         "application/jwk-set+json",
		CacheControl: fmt.Sprintf("public, max-age=%d", keyring.MaxAge/time.Second),
		Body:         ring.JWKS(),
	})
}
