// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"strings"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// Grant is a token and what it is good for.
type Grant struct {
	AccessToken string
	// ClientID is set whenever the request named a client that exists, also when the token is refused.
	ClientID string
	TokenID  string
	// ServiceAccount is who took the token, where it was taken with the token of one.
	ServiceAccount assertion.ServiceAccount
	Scopes         oauth.Scopes
	// Audience is what the token is for: URLs of resources, or the issuer.
	Audience []string
	// AccountID is the one account the token may act on, or empty.
	AccountID string
	Lifetime  time.Duration
}

// Issue answers a token request (RFC 6749 section 4.4). It fails with invalid_client, invalid_scope, invalid_target or
// server_error; the Grant that comes with an error has no token.
func (s *Service) Issue(request oauth.TokenRequest) (Grant, error) {
	caller, err := s.authenticate(request.Client)
	if err != nil {
		return Grant{ClientID: caller.clientID()}, err
	}
	grant := Grant{ClientID: caller.clientID(), ServiceAccount: caller.serviceAccount, Lifetime: s.Rules.TokenLifetime(caller.Subject)}
	if grant.Audience, err = s.audienceFor(caller.Client, request.Resources); err != nil {
		return grant, err
	}
	account, err := s.scopeGrant(&grant, caller.Subject, request.Scopes)
	if err != nil {
		return grant, err
	}
	ring, ok := s.Keys.Ring()
	if !ok {
		return grant, oauth.ServerError(errNoKeys)
	}
	err = s.sign(ring, &grant, incarnation(caller.Client, account), caller.secretID)
	return grant, err
}

// scopeGrant sets the scopes and the account of the grant: what was asked for of what the client has, or all of it where
// nothing was asked for, restricted to one account where that was asked for. It gives the account the token acts on.
func (s *Service) scopeGrant(grant *Grant, subject credential.Subject, asked oauth.Scopes) (*credential.Account, error) {
	var wanted, restrictions oauth.Scopes
	for _, scope := range asked {
		if strings.HasPrefix(scope, v1alpha1.ScopeAccountPrefix) {
			restrictions = append(restrictions, scope)
		} else {
			wanted = append(wanted, scope)
		}
	}
	var err error
	if grant.Scopes, err = grantable(wanted, subject.Client); err != nil {
		return nil, err
	}
	account := subject.Account
	if len(restrictions) > 0 {
		if account, err = s.restrict(subject, restrictions); err != nil {
			return nil, err
		}
		grant.Scopes = append(grant.Scopes[:len(grant.Scopes):len(grant.Scopes)], restrictions...)
	}
	if account != nil {
		grant.AccountID = account.ID
	}
	return account, nil
}

// restrict finds the one account that a token shall be restricted to. A restriction is never dropped: what cannot be
// kept is an error.
func (s *Service) restrict(subject credential.Subject, restrictions oauth.Scopes) (*credential.Account, error) {
	if len(restrictions) > 1 {
		return nil, oauth.InvalidScope("a token can be restricted to one account only")
	}
	id := strings.TrimPrefix(restrictions[0], v1alpha1.ScopeAccountPrefix)
	account := s.Directory.Account(id)
	if !account.Active() || (!subject.Client.ConsoleLevel() && id != subject.Client.AccountID) {
		return nil, oauth.InvalidScope("the account of the restriction is not available to this client")
	}
	return account, nil
}
