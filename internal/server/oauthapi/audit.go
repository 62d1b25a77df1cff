// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"errors"

	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
)

// Audit events, one line for every token request, every revocation request and every refusal at /verify. They hold what is listed here and
// nothing else: no header, no token, and no parameter but the scopes that a guard needs of a token that is ours. A client
// ID is written only if such a client exists: people paste secrets into the wrong field. Every decision is counted too.
const (
	eventIssued  = "token issued"
	eventRefused = "token refused"
	eventDenied  = "access denied"

	eventRevoked    = "token revoked"
	eventNothing    = "nothing to revoke"
	eventNotRevoked = "revocation refused"
)

func (a *API) issued(grant issuer.Grant, method string) {
	a.Metrics.tokens.WithLabelValues(resultIssued).Inc()
	a.Audit.Info(eventIssued, "clientID", grant.ClientID, "tokenID", grant.TokenID, "account", grant.AccountID,
		"scope", grant.Scopes.String(), "lifetime", grant.Lifetime.String(), "method", method)
}

func (a *API) refused(grant issuer.Grant, method string, err error) {
	code := codeOf(err)
	a.Metrics.tokens.WithLabelValues(code).Inc()
	a.Audit.Info(eventRefused, "error", code, "clientID", grant.ClientID, "method", method, "reason", reasonOf(err))
}

func (a *API) admitted() {
	a.Metrics.verdicts.WithLabelValues(resultAdmitted).Inc()
}

func (a *API) denied(access issuer.Access, need issuer.Need, err error) {
	code := codeOf(err)
	a.Metrics.verdicts.WithLabelValues(code).Inc()
	needs := ""
	if access.ClientID != "" {
		needs = need.Scopes.String() // of a call without a good token, anybody at all may have written the query
	}
	a.Audit.Info(eventDenied, "error", code, "clientID", access.ClientID, "needs", needs, "reason", reasonOf(err))
}

func (a *API) revoked(outcome issuer.Revocation, method string) {
	if outcome.Nothing != nil {
		a.Metrics.revocations.WithLabelValues(resultNothing).Inc()
		a.Audit.Info(eventNothing, "clientID", outcome.ClientID, "tokenID", outcome.TokenID, "method", method, "reason", reasonOf(outcome.Nothing))
		return
	}
	a.Metrics.revocations.WithLabelValues(resultRevoked).Inc()
	a.Audit.Info(eventRevoked, "clientID", outcome.ClientID, "tokenID", outcome.TokenID, "method", method)
}

func (a *API) notRevoked(outcome issuer.Revocation, method string, err error) {
	code := codeOf(err)
	a.Metrics.revocations.WithLabelValues(code).Inc()
	a.Audit.Info(eventNotRevoked, "error", code, "clientID", outcome.ClientID, "tokenID", outcome.TokenID, "method", method, "reason", reasonOf(err))
}

func codeOf(err error) string {
	var failure *oauth.Error
	switch {
	case errors.Is(err, oauth.ErrNoToken):
		return resultNoToken
	case errors.As(err, &failure):
		return failure.Code
	default:
		return oauth.CodeServerError
	}
}

// reasonOf gives the private cause: why, in our own words. No error of the domain quotes what a client sent.
func reasonOf(err error) string {
	var failure *oauth.Error
	if !errors.As(err, &failure) {
		return err.Error()
	}
	if found, ok := fault.As(failure); ok {
		return found.Reason
	}
	if cause := errors.Unwrap(failure); cause != nil {
		return cause.Error()
	}
	return failure.Description
}
