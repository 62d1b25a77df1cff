// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"

	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Introspection is what a caller is told about a token.
type Introspection struct {
	// CallerID is set whenever the request named a client that exists, also when it is refused.
	CallerID string
	// ServiceAccount is who asks, where it has proved to be one.
	ServiceAccount assertion.ServiceAccount
	// TokenID is set whenever the token is genuine and had not expired, also where the caller may not know of it.
	TokenID string
	// Inactive says why the caller is told that the token is not active. Nil where it is.
	Inactive error
	// Claims are those of an active token, with the scopes that it still has and the places that it is still for.
	Claims token.Claims
}

var (
	errNotTheirs = refuse(ReasonOtherAccount, "the token is none that the caller may know of")
	errNoScope   = refuse(ReasonScopeMissing, "the client has none of the token's scopes any more")
	// errNoAudience: a resource may also have been deleted or closed.
	errNoAudience = refuse(token.ReasonOtherAudience, "there is no resource any more that the token is for")
)

// Introspect answers an introspection request (RFC 7662 section 2). A token is active where there is a place that Authorize admits
// it to, and the caller may know of it: a client of an account of the tokens of that account's clients, a console-level client of
// all; a ServiceAccount of the tokens of the accounts that hold its namespace, or of all where console-level credentials may stand
// there. Everything else is not active, and no answer tells one cause from another (section 2.2).
// It fails with invalid_client, with invalid_token (a ServiceAccount's own), with server_error, or with temporarily_unavailable (over the budget for failures).
func (s *Service) Introspect(request oauth.IntrospectionRequest) (Introspection, error) {
	caller, err := s.identify(request.Client)
	outcome := Introspection{CallerID: caller.clientID(), ServiceAccount: caller.serviceAccount}
	if err != nil {
		return outcome, bearerError(request.Client, err)
	}
	found, err := s.stand(request.Token)
	outcome.TokenID = found.claims.ID
	switch {
	case errors.Is(err, &oauth.Error{Code: oauth.CodeServerError}):
		return outcome, err
	case err != nil:
		outcome.Inactive = err
	case !s.mayKnow(caller, found.client):
		outcome.Inactive = errNotTheirs
	case len(found.scopes) == 0:
		outcome.Inactive = errNoScope
	default:
		outcome.Claims = found.claims
		if outcome.Claims.Audience = s.audienceNow(found); len(outcome.Claims.Audience) == 0 {
			outcome.Claims, outcome.Inactive = token.Claims{}, errNoAudience
			break
		}
		outcome.Claims.Scope = found.scopes.String()
	}
	return outcome, nil
}

// mayKnow says whether a caller may know of a client's tokens. A token of the console is nobody else's business, also where it is
// restricted to one account.
func (s *Service) mayKnow(who caller, holder *credential.Client) bool {
	if who.Client != nil {
		return who.Client.ConsoleLevel() || who.Client.AccountID == holder.AccountID
	}
	if s.Rules.IsConsole(who.serviceAccount.Namespace) {
		return true
	}
	account := s.Directory.Account(holder.AccountID)
	return !holder.ConsoleLevel() && account != nil && account.Holds(s.Directory.Namespace(who.serviceAccount.Namespace))
}

// bearerError says of a bearer token what RFC 7662 section 2.3 wants said: it is the token that is no good.
func bearerError(presented oauth.ClientAuthentication, err error) error {
	if presented.Assertion.ClientID == "" && presented.Method == oauth.MethodServiceAccountToken && errors.Is(err, &oauth.Error{Code: oauth.CodeInvalidClient}) {
		return oauth.InvalidToken(errors.Unwrap(err))
	}
	return err
}

// audienceNow gives what of aud the token is still for: resources that there are and that its client may call, or the issuer.
func (s *Service) audienceNow(found standing) []string {
	var audience []string
	for _, one := range found.claims.Audience {
		if one == s.Issuer {
			audience = append(audience, one)
			continue
		}
		url, err := oauth.CanonicalResource(one)
		if err != nil {
			continue
		}
		if resource, err := s.target(found.client, url, s.Directory.ResourceAt); err == nil && resource.URL == one {
			audience = append(audience, one)
		}
	}
	return audience
}
