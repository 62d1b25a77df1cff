// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"errors"

	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
)

// Every decision is counted, and written to the audit log: see package audit for what may be logged. Of verdicts that admit there
// are too many; they are logged where that is asked for.

func (a *API) issued(origin audit.Origin, grant issuer.Grant, method string) {
	a.Metrics.tokens.WithLabelValues(resultIssued, method).Inc()
	a.Audit.Write(origin, audit.TokenIssued{
		ClientID: grant.ClientID, TokenID: grant.TokenID, Account: grant.AccountID,
		Scope: grant.Scopes.String(), Audience: grant.Audience, Lifetime: grant.Lifetime,
		Method: method, ServiceAccount: grant.ServiceAccount.Path(),
	})
}

func (a *API) refused(origin audit.Origin, grant issuer.Grant, method string, err error) {
	code := ResultOf(err)
	a.Metrics.tokens.WithLabelValues(code, method).Inc()
	a.Audit.Write(origin, audit.TokenRefused{Error: code, ClientID: grant.ClientID, Method: method, Reason: reasonOf(err)})
}

func (a *API) admitted(origin audit.Origin, access issuer.Access) {
	a.Metrics.admitted.Inc()
	if a.AuditAllowed {
		a.Audit.Write(origin, audit.AccessAllowed{ClientID: access.ClientID, Account: access.AccountID, Scope: access.Scopes.String()})
	}
}

func (a *API) denied(origin audit.Origin, access issuer.Access, need issuer.Need, err error) {
	event := Denied(access, need, err)
	a.Metrics.verdicts.WithLabelValues(event.Error, verdictReason(err)).Inc()
	a.Audit.Write(origin, event)
}

// Denied gives the event of a call that is denied.
func Denied(access issuer.Access, need issuer.Need, err error) audit.AccessDenied {
	event := audit.AccessDenied{Error: ResultOf(err), ClientID: access.ClientID, Reason: reasonOf(err)}
	if access.ClientID != "" {
		event.Needs = need.Scopes.String() // of a call without a good token, anybody at all may have written the query
	}
	if need.Resource != nil {
		event.Resource = need.Resource.Name
	}
	return event
}

func (a *API) revoked(origin audit.Origin, outcome issuer.Revocation, method string) {
	if outcome.Nothing != nil {
		a.Metrics.revocations.WithLabelValues(resultNothing).Inc()
		a.Audit.Write(origin, audit.NothingToRevoke{
			ClientID: outcome.ClientID, TokenID: outcome.TokenID, Method: method, Reason: reasonOf(outcome.Nothing),
		})
		return
	}
	a.Metrics.revocations.WithLabelValues(resultRevoked).Inc()
	a.Audit.Write(origin, audit.TokenRevoked{ClientID: outcome.ClientID, TokenID: outcome.TokenID, Method: method})
}

func (a *API) notRevoked(origin audit.Origin, outcome issuer.Revocation, method string, err error) {
	code := ResultOf(err)
	a.Metrics.revocations.WithLabelValues(code).Inc()
	a.Audit.Write(origin, audit.RevocationRefused{
		Error: code, ClientID: outcome.ClientID, TokenID: outcome.TokenID, Method: method, Reason: reasonOf(err),
	})
}

func (a *API) introspected(origin audit.Origin, outcome issuer.Introspection, method string) {
	if outcome.Inactive == nil {
		a.Metrics.introspections.WithLabelValues(resultActive).Inc()
		return
	}
	a.Metrics.introspections.WithLabelValues(resultInactive).Inc()
	a.Audit.Write(origin, audit.TokenInactive{
		ClientID: outcome.CallerID, ServiceAccount: outcome.ServiceAccount.Path(), TokenID: outcome.TokenID, Method: method, Reason: reasonOf(outcome.Inactive),
	})
}

func (a *API) notIntrospected(origin audit.Origin, outcome issuer.Introspection, method string, err error) {
	code := ResultOf(err)
	a.Metrics.introspections.WithLabelValues(code).Inc()
	a.Audit.Write(origin, audit.IntrospectionRefused{
		Error: code, ClientID: outcome.CallerID, ServiceAccount: outcome.ServiceAccount.Path(), TokenID: outcome.TokenID, Method: method, Reason: reasonOf(err),
	})
}

// ResultOf gives the code of a refusal: that of the OAuth error, no_token, or server_error for any other.
func ResultOf(err error) string {
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

// verdictReason gives the reason of a verdict as metrics have it.
func verdictReason(err error) string {
	if errors.Is(err, oauth.ErrNoToken) {
		return reasonNoToken
	}
	return issuer.Reason(err)
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
