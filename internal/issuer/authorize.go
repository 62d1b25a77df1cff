// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Need is what a guarded place asks of a token.
type Need struct {
	// Scopes that the token must have, all of them. API makes the place console-level; anything else makes it an
	// account's. A place that names none admits nobody.
	Scopes oauth.Scopes
	// Accounts that the call concerns. None: any account's place, or a call that concerns no account.
	Accounts []string
	// Resource is the place, where it is a registered one; see [Service.ResourceNeed].
	Resource *credential.Resource

	// closed says why the resource admits nobody.
	closed error
}

// Closed reports whether the place is one that the rules do not allow. It admits nobody.
func (n Need) Closed() bool { return n.closed != nil }

func (n Need) consoleLevel() bool { return n.Scopes.Has(string(v1alpha1.ScopeAPI)) }

// Access is what a token that was admitted may do.
type Access struct {
	// ClientID is set whenever the token was genuine and its client exists, also when it is refused.
	ClientID  string
	AccountID string
	Scopes    oauth.Scopes
	ExpiresAt time.Time
}

var errRevoked = refuse(ReasonRevoked, "the token is revoked")

// Authorize says whether a token is good for a place. It fails with invalid_token (expired, revoked, tampered, of another
// issuer, audience, level or account, or its client or account is gone, suspended or no longer allowed), with
// insufficient_scope (genuine and alive, but not for this), or with server_error.
func (s *Service) Authorize(raw string, need Need) (Access, error) {
	found, err := s.stand(raw)
	if found.client == nil {
		return Access{}, err
	}
	access := Access{ClientID: found.client.ID, AccountID: found.claims.Account, Scopes: found.scopes, ExpiresAt: found.claims.ExpiresAt}
	if err != nil {
		return access, err
	}
	return access, s.admit(access, found, need)
}

// standing is a genuine token as it stands now.
type standing struct {
	claims token.Claims
	// client is the one that the token was issued to; nil where it does not exist, or the token is not genuine.
	client *credential.Client
	// scopes are what the token may still do.
	scopes oauth.Scopes
}

// stand says whether a token is alive, wherever it is used. It fails with invalid_token or server_error; the standing that comes
// with an error says as much as is known.
func (s *Service) stand(raw string) (standing, error) {
	if !s.Directory.Synced() {
		return standing{}, oauth.ServerError(errNotSynced)
	}
	ring, ok := s.Keys.Ring()
	if !ok {
		return standing{}, oauth.ServerError(errNoKeys)
	}
	claims, err := s.verify(ring, raw)
	if err != nil {
		return standing{}, oauth.InvalidToken(err)
	}
	found := standing{claims: claims}
	if found.client, err = s.living(claims); err != nil {
		return found, oauth.InvalidToken(err)
	}
	if found.scopes, err = scopesNow(claims, found.client); err != nil {
		return found, oauth.InvalidToken(err)
	}
	return found, nil
}

// verify does what the Minter's does, and remembers what it has found.
func (s *Service) verify(ring *keyring.Ring, raw string) (token.Claims, error) {
	return s.Tokens.Verify(raw, ring, s.expect())
}

// living finds the client of genuine claims and checks that they still hold. The client is nil where there is none.
func (s *Service) living(claims token.Claims) (*credential.Client, error) {
	subject, found := s.Directory.Subject(claims.ClientID)
	if !found {
		return nil, errUnknownClient
	}
	account := subject.Account
	if subject.Client.ConsoleLevel() && claims.Account != "" {
		account = s.Directory.Account(claims.Account)
	}
	if err := s.check(claims, subject, account); err != nil {
		return subject.Client, err
	}
	if s.Directory.Revoked(claims.ID) {
		return subject.Client, errRevoked
	}
	return subject.Client, nil
}

// scopesNow gives what the token may do of what its client may still do: a scope that was taken away from the client is
// gone from its tokens too.
func scopesNow(claims token.Claims, client *credential.Client) (oauth.Scopes, error) {
	granted, err := oauth.ParseScopes(claims.Scope)
	if err != nil {
		return nil, err
	}
	return granted.Intersect(client.Scopes), nil
}

// admit is the table "Tokens and places" of docs/endpoints.md: the level first, then the audience, the account and the scopes. A
// place that is closed says so only to a token that would be good there.
func (m Minter) admit(access Access, found standing, need Need) error {
	if len(need.Scopes) == 0 {
		return BadGuard("the guard of this place names no scope, so nobody is admitted")
	}
	if need.consoleLevel() != found.client.ConsoleLevel() {
		return oauth.InvalidToken(refuse(ReasonOtherLevel, "the token is of the other level"))
	}
	if err := m.admitAudience(found, need); err != nil {
		return err
	}
	if err := admitAccounts(access, found.client, need.Accounts); err != nil {
		return err
	}
	if !access.Scopes.HasAll(need.Scopes) {
		return insufficient(ReasonScopeMissing, "the token does not have the scope that is needed here")
	}
	return need.closed
}

// admitAccounts: the token must be good for every account that the call concerns.
func admitAccounts(access Access, client *credential.Client, accounts []string) error {
	for _, account := range accounts {
		if account == access.AccountID {
			continue
		}
		if !client.ConsoleLevel() {
			return oauth.InvalidToken(refuse(ReasonOtherAccount, "the token is another account's"))
		}
		if access.AccountID != "" {
			return insufficient(ReasonOtherAccount, "the token is restricted to another account")
		}
	}
	return nil
}
