// SPDX-License-Identifier: Apache-2.0

// Package connectapi is the HTTP face of sign-ins, one file an endpoint: the host's backend asks for a sign-in token, a user's browser
// goes through the pages, and the host learns what has come of it. Handlers translate; package signin decides.
package connectapi

import (
	"context"
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/internal/server/source"
)

// Paths of the connect role, below its own URL.
const (
	PathLink        = "/connectorauth/updateaccountconnectoroauth"
	PathCallback    = "/connectorauth/callback/"
	PathCompleted   = "/connectorauth/completed"
	PathAssets      = "/connectorauth/assets/"
	PathAccounts    = "/v1.0/accounts/{account}"
	PathSignInToken = PathAccounts + "/signintoken"
	PathConnection  = PathAccounts + "/connectors/{id}"
	PathConfirm     = PathConnection + "/confirm"
)

// AnswerWithin bounds an answer: a callback waits for the provider's token endpoint, and for the API server.
const AnswerWithin = time.Minute

// Judge says whether a bearer token is good for a place.
type Judge interface {
	Authorize(ctx context.Context, token string, need issuer.Need) (issuer.Access, error)
}

// API holds what the endpoints share. All of its fields are required, but for Proxies where nobody is trusted.
type API struct {
	SignIns *signin.Service
	// Judge judges the tokens of the host's backend.
	Judge Judge
	// URL is where browsers reach the endpoints.
	URL   oauth.IssuerURL
	Pages *pages.Site
	// Attempts bounds links and states that are none, by the address that they come from.
	Attempts *limit.Failures
	// Tokens bounds the sign-in tokens of each client of the host.
	Tokens *limit.Writes
	// AccountHeader is the request header that names the account a call concerns.
	AccountHeader string
	// Proxies may say where a request comes from.
	Proxies source.Proxies
	Metrics *Metrics
	Audit   audit.Log
}

// RedirectURI gives that of a Connector (RFC 6749 section 3.1.2): each has one of its own, so that no provider can answer for another
// (RFC 9700 section 2.1).
func RedirectURI(url oauth.IssuerURL, connector string) string {
	return url.Endpoint(PathCallback + connector)
}

func (a *API) origin(r *http.Request) audit.Origin { return audit.OriginOf(r, a.Proxies) }
