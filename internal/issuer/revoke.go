// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"errors"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Revocation is what became of a revocation request.
type Revocation struct {
	// ClientID is set whenever the request named a client that exists, also when it is refused.
	ClientID string
	// TokenID is set whenever the token was genuine and had not expired, also when the request is refused.
	TokenID string
	// Nothing says why there was nothing to revoke. Nil where the token was revoked now.
	Nothing error
}

// Revoke answers a revocation request (RFC 7009 section 2). What is not, or no longer, a good token of ours is no error: nobody
// can use it, which is all that the client wants. A client may revoke its own tokens only. Revoke fails with invalid_client,
// with invalid_grant (a genuine token of another client, section 2.1), with server_error (section 2.2.1), or with
// temporarily_unavailable (over a budget): then the token must be taken to live.
func (s *Service) Revoke(ctx context.Context, request oauth.RevocationRequest) (Revocation, error) {
	caller, err := s.authenticate(request.Client)
	outcome := Revocation{ClientID: caller.clientID()}
	if err != nil {
		return outcome, err
	}
	ring, ok := s.Keys.Ring()
	if !ok {
		return outcome, oauth.ServerError(errNoKeys)
	}
	claims, err := s.verify(ring, request.Token)
	if errors.Is(err, token.ErrFuture) { // another replica may take it for a good one at this moment
		return outcome, oauth.ServerError(err)
	}
	if err != nil {
		outcome.Nothing = err
		return outcome, nil //nolint:nilerr // RFC 7009 section 2.2: a token that is not valid is no error
	}
	outcome.TokenID = claims.ID
	if claims.ClientID != outcome.ClientID {
		return outcome, oauth.InvalidGrant("the token was issued to another client")
	}
	if s.Directory.Revoked(claims.ID) {
		outcome.Nothing = errRevoked
		return outcome, nil
	}
	if err := s.Revocations.Spend(outcome.ClientID); err != nil {
		return outcome, err
	}
	if err := s.Revoker.Revoke(ctx, claims); err != nil {
		return outcome, oauth.ServerError(err)
	}
	return outcome, nil
}
