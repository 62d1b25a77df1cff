// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// Revoke is the revocation endpoint: POST /oauth/revoke (RFC 7009). 200 says that nobody can use the token, whether or not it
// was one (section 2.2); its body is empty.
func (a *API) Revoke(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		respond.MethodNotAllowed(w, http.MethodPost)
		return
	}
	outcome, method, err := a.revoke(w, r)
	if err != nil {
		a.notRevoked(a.origin(r), outcome, method, err)
		respond.TokenError(w, err)
		return
	}
	a.revoked(a.origin(r), outcome, method)
	respond.NoStore(w)
	w.WriteHeader(http.StatusOK)
}

func (a *API) revoke(w http.ResponseWriter, r *http.Request) (issuer.Revocation, string, error) {
	raw, err := a.rawRequest(w, r)
	if err != nil {
		return issuer.Revocation{}, "", err
	}
	request, err := oauth.ParseRevocationRequest(raw)
	if err != nil {
		return issuer.Revocation{}, "", err
	}
	outcome, err := a.Issuer.Revoke(r.Context(), request)
	return outcome, request.Client.Method, err
}
