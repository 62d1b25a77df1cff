// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"net/http"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/respond"
)

// retryAfter is when to try again where the fault is ours, in seconds.
const retryAfter = "1"

// Error codes besides those of OAuth: JSON for people, as there is no standard for them.
const (
	codeBadGateway     = "bad_gateway"
	codeGatewayTimeout = "gateway_timeout"
)

// verdict is one that does not admit.
type verdict struct {
	access issuer.Access
	need   issuer.Need
	err    error
}

// refuse answers a call that is not let through, counts it and writes it to the audit log.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, v verdict) {
	g.Metrics.verdict(oauthapi.ResultOf(v.err))
	g.Audit.Write(g.origin(r), oauthapi.Denied(v.access, v.need, v.err))
	g.answer(w, v)
}

func (g *Gate) origin(r *http.Request) audit.Origin {
	return audit.Origin{Source: g.Upstream.TrustedProxies.Address(r)}
}

// answer writes a verdict: 401 and 403 as /verify does and, because no gateway stands in between that would make something of
// its own of it, 503 where there is none.
func (g *Gate) answer(w http.ResponseWriter, v verdict) {
	var failure *oauth.Error
	switch known := errors.As(v.err, &failure); {
	case errors.Is(v.err, oauth.ErrNoToken):
		g.refusal(v).Write(w)
	case !known || failure.Code == oauth.CodeServerError:
		unavailable(w, "the token cannot be judged at the moment; try again")
	default:
		g.refusal(v).Write(w)
	}
}

// refusal: a place that is closed tells nobody how to get in.
func (g *Gate) refusal(v verdict) respond.Refusal {
	if v.need.Closed() {
		return respond.Refuse(v.err, nil)
	}
	return g.resource().refuse(v.err, v.need.Scopes)
}

func unavailable(w http.ResponseWriter, description string) {
	w.Header().Set("Retry-After", retryAfter)
	respond.Error(w, http.StatusServiceUnavailable, oauth.CodeServerError, description)
}

// misdirected answers what is no request of an origin server.
func (g *Gate) misdirected(w http.ResponseWriter) {
	g.Metrics.verdict(resultMisdirected)
	respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, "this is not a forward proxy")
}

func upstreamUnreachable(w http.ResponseWriter) {
	respond.Error(w, http.StatusBadGateway, codeBadGateway, "the upstream cannot be reached or broke off; the token was good")
}

func upstreamTimeout(w http.ResponseWriter) {
	respond.Error(w, http.StatusGatewayTimeout, codeGatewayTimeout, "the upstream did not begin to answer in time; the token was good")
}
