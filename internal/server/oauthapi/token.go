// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// tokenAnswer is the answer of the token endpoint (RFC 6749 section 5.1; clientId is an addition of ours).
type tokenAnswer struct {
	TokenType   string `json:"token_type"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
	ClientID    string `json:"clientId"`
	Scope       string `json:"scope"`
}

// Token is the token endpoint: POST /oauth/token (RFC 6749 section 3.2).
func (a *API) Token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		respond.MethodNotAllowed(w, http.MethodPost)
		return
	}
	grant, method, err := a.issue(w, r)
	if err != nil {
		a.refused(a.origin(r), grant, method, err)
		respond.TokenError(w, err)
		return
	}
	a.issued(a.origin(r), grant, method)
	respond.Token(w, tokenAnswer{
		TokenType:   "bearer",
		AccessToken: grant.AccessToken,
		ExpiresIn:   int64(grant.Lifetime / time.Second),
		ClientID:    grant.ClientID,
		Scope:       grant.Scopes.String(),
	})
}

func (a *API) issue(w http.ResponseWriter, r *http.Request) (issuer.Grant, string, error) {
	raw, err := a.rawRequest(w, r)
	if err != nil {
		return issuer.Grant{}, "", err
	}
	request, err := oauth.ParseTokenRequest(raw)
	if err != nil {
		return issuer.Grant{}, "", err
	}
	grant, err := a.Issuer.Issue(request)
	return grant, request.Client.Method, err
}
