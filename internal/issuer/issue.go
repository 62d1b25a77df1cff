// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Grant is a token and what it is good for.
type Grant struct {
	AccessToken string
	// ClientID is set whenever the request named a client that exists, also when the token is refused.
	ClientID string
	TokenID  string
	Scopes   oauth.Scopes
	// AccountID is the one account the token may act on, or empty.
	AccountID string
	Lifetime  time.Duration
}

var (
	errUnknownClient = errors.New("no such client")
	errWrongSecret   = errors.New("wrong client secret")
	errNoKeys        = errors.New("the key material is not loaded")
	errNotSynced     = errors.New("the objects are not all known yet")
)

// decoy stands in for a client that does not exist, so that answering costs the same work.
var decoy = &credential.Client{ID: "decoy", UID: "decoy", Verifiers: credential.Verifiers{{}}}

// Issue answers a token request (RFC 6749 section 4.4). It fails with invalid_client, invalid_scope, invalid_target or
// server_error; the Grant that comes with an error has no token.
func (s *Service) Issue(request oauth.TokenRequest) (Grant, error) {
	subject, err := s.authenticate(request.Client)
	if err != nil {
		return Grant{ClientID: clientIDOf(subject)}, err
	}
	grant := Grant{ClientID: subject.Client.ID, Lifetime: s.Rules.TokenLifetime(subject)}
	if len(request.Resources) > 0 {
		return grant, oauth.InvalidTarget("no such resource")
	}
	account, err := s.scopeGrant(&grant, subject, request.Scopes)
	if err != nil {
		return grant, err
	}
	err = s.mint(&grant, subject.Client, account)
	return grant, err
}

// authenticate verifies the secret, then judges the client. Everything that fails here has one and the same answer, and
// costs the same: one digest for each reading of what was presented.
func (s *Service) authenticate(presented oauth.ClientAuthentication) (credential.Subject, error) {
	if !s.Directory.Synced() {
		return credential.Subject{}, oauth.ServerError(errNotSynced)
	}
	pepper, ok := s.Keys.Pepper()
	if !ok {
		return credential.Subject{}, oauth.ServerError(errNoKeys)
	}
	known := credential.Subject{}
	cause := errUnknownClient
	for _, reading := range presented.Readings {
		subject, found := s.Directory.Subject(reading.ClientID)
		client := decoy
		if found {
			client, known, cause = subject.Client, subject, errWrongSecret
		}
		if client.Verify(pepper, reading.Secret, s.Now()) && found {
			if err := s.Rules.Judge(subject); err != nil {
				return subject, oauth.InvalidClient(err)
			}
			return subject, nil
		}
	}
	return known, oauth.InvalidClient(cause)
}

func clientIDOf(subject credential.Subject) string {
	if subject.Client == nil {
		return ""
	}
	return subject.Client.ID
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
	grant.Scopes = subject.Client.Scopes
	if len(wanted) > 0 {
		grant.Scopes = wanted.Intersect(subject.Client.Scopes)
	}
	if len(grant.Scopes) == 0 {
		return nil, oauth.InvalidScope("the client has none of the scopes asked for")
	}
	account := subject.Account
	if len(restrictions) > 0 {
		var err error
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

func (s *Service) mint(grant *Grant, client *credential.Client, account *credential.Account) error {
	ring, ok := s.Keys.Ring()
	if !ok {
		return oauth.ServerError(errNoKeys)
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, id); err != nil {
		return oauth.ServerError(fmt.Errorf("making a token ID: %w", err))
	}
	grant.TokenID = base64.RawURLEncoding.EncodeToString(id)
	issuedAt := s.Now().Truncate(time.Second)
	signed, err := token.Mint(s.Issuer, ring, token.Claims{
		ID:          grant.TokenID,
		ClientID:    client.ID,
		Audience:    []string{s.Issuer},
		Scope:       grant.Scopes.String(),
		Account:     grant.AccountID,
		Incarnation: incarnation(client, account),
		IssuedAt:    issuedAt,
		ExpiresAt:   issuedAt.Add(grant.Lifetime),
	})
	if err != nil {
		return oauth.ServerError(err)
	}
	grant.AccessToken = signed
	return nil
}
