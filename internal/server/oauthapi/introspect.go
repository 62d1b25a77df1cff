// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// activeAnswer is the answer about a token that is active (RFC 7662 section 2.2; account is an addition of ours).
type activeAnswer struct {
	Active    bool     `json:"active"`
	Scope     string   `json:"scope"`
	ClientID  string   `json:"client_id"`
	TokenType string   `json:"token_type"`
	Expires   int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	Issuer    string   `json:"iss"`
	TokenID   string   `json:"jti"`
	Account   string   `json:"account,omitempty"`
}

// inactiveAnswer is the answer about everything else. It has no other member, so that it tells nothing (section 2.2).
type inactiveAnswer struct {
	Active bool `json:"active"`
}

// Introspect is the introspection endpoint: POST /oauth/introspect (RFC 7662 section 2).
func (a *API) Introspect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		respond.MethodNotAllowed(w, http.MethodPost)
		return
	}
	outcome, method, err := a.introspect(w, r)
	if err != nil {
		a.notIntrospected(a.origin(r), outcome, method, err)
		respond.TokenError(w, err)
		return
	}
	a.introspected(a.origin(r), outcome, method)
	if outcome.Inactive != nil {
		respond.JSON(w, http.StatusOK, inactiveAnswer{})
		return
	}
	claims := outcome.Claims
	respond.JSON(w, http.StatusOK, activeAnswer{
		Active:    true,
		Scope:     claims.Scope,
		ClientID:  claims.ClientID,
		TokenType: "bearer",
		Expires:   claims.ExpiresAt.Unix(),
		IssuedAt:  claims.IssuedAt.Unix(),
		Subject:   claims.ClientID,
		Audience:  claims.Audience,
		Issuer:    a.Issuer.Issuer,
		TokenID:   claims.ID,
		Account:   claims.Account,
	})
}

func (a *API) introspect(w http.ResponseWriter, r *http.Request) (issuer.Introspection, string, error) {
	raw, err := a.rawRequest(w, r)
	if err != nil {
		return issuer.Introspection{}, "", err
	}
	request, err := oauth.ParseIntrospectionRequest(raw)
	if err != nil {
		return issuer.Introspection{}, "", err
	}
	outcome, err := a.Issuer.Introspect(request)
	return outcome, request.Client.Method, err
}
