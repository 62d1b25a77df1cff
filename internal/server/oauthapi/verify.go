// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

// Headers of an answer that admits. A gateway copies all four onto the request that it passes on. All four are always
// there, so that what a caller put into them itself is overwritten, with an empty value where there is nothing to say.
const (
	HeaderPrefix   = "X-Claviger-"
	headerClientID = HeaderPrefix + "Client-Id"
	headerAccount  = HeaderPrefix + "Account"
	headerScope    = HeaderPrefix + "Scope"
	headerExpires  = HeaderPrefix + "Expires"
)

// Verify is the forward-auth endpoint: any method on /verify?scope=...&account=... It answers 200, 401 or 403 and nothing
// else. The query says what the guarded place needs; the bearer token and the account header are the caller's.
func (a *API) Verify(w http.ResponseWriter, r *http.Request) {
	need, err := a.need(r)
	if err != nil {
		a.denied(issuer.Access{}, need, err)
		respond.BearerError(w, err, nil)
		return
	}
	access, err := a.authorize(r, need)
	if err != nil {
		a.denied(access, need, err)
		respond.BearerError(w, err, need.Scopes)
		return
	}
	a.admitted()
	respond.NoStore(w)
	w.Header().Set(headerClientID, access.ClientID)
	w.Header().Set(headerAccount, access.AccountID)
	w.Header().Set(headerScope, access.Scopes.String())
	w.Header().Set(headerExpires, access.ExpiresAt.UTC().Format(time.RFC3339))
	w.WriteHeader(http.StatusOK)
}

func (a *API) authorize(r *http.Request, need issuer.Need) (issuer.Access, error) {
	bearer, err := oauth.ParseBearer(r.Header.Values("Authorization"))
	if err != nil {
		return issuer.Access{}, err
	}
	return a.Issuer.Authorize(bearer, need)
}

// misguarded: the guard's own query makes no sense. Nobody is admitted, whatever token they bring.
func misguarded() error { return oauth.InsufficientScope("the query of the guard is malformed") }

// need reads what the guarded place needs from the query, and which account the call concerns from the query and the
// account header: where both name one, the token must be good for both.
func (a *API) need(r *http.Request) (issuer.Need, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	// An account that is named but empty is a template that lost its variable: it must not admit everybody.
	lostVariable := query.Has("account") && query.Get("account") == ""
	if err != nil || len(query["scope"]) > 1 || len(query["account"]) > 1 || query.Has("resource") || lostVariable {
		return issuer.Need{}, misguarded()
	}
	scopes, err := oauth.ParseScopes(query.Get("scope"))
	if err != nil {
		return issuer.Need{}, misguarded()
	}
	need := issuer.Need{Scopes: scopes}
	for _, account := range slices.Concat(query["account"], r.Header.Values(a.AccountHeader)) {
		if account != "" {
			need.Accounts = append(need.Accounts, account)
		}
	}
	return need, nil
}
