// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

// ErrNotPending says that there is no sign-in which that code confirms: it is another's, expired, or was confirmed.
var ErrNotPending = errors.New("there is no sign-in to be confirmed by that code")

// confirmation gives a one-time code where the host has to confirm a sign-in, and an empty one where it has not.
func (s *Service) confirmation(place Place) (oauth.Secret, error) {
	if !place.Confirms() {
		return oauth.Secret{}, nil
	}
	return s.newSecret()
}

// Confirm makes the tokens of a sign-in the grant, by the one-time code that the host's page was given. It fails with ErrNotPending, also
// where the user may not sign in any more, or, where there is no such connection of the account, ErrNoConnection.
func (s *Service) Confirm(ctx context.Context, accountID, id string, code oauth.Secret) error {
	place, err := s.Of(ctx, accountID, id)
	if err != nil {
		return err
	}
	behaviour := connector.Behaviour{}
	if place.Connector != nil {
		behaviour = connector.ReadBehaviour(place.Connector.Spec)
	}
	var written time.Time // when the sign-in was that has perhaps been written: the answer to a write may be lost
	err = s.change(ctx, string(place.Connection.UID), func(kept connector.Kept) (connector.Change, error) {
		if kept.Pending == nil && !written.IsZero() && kept.Record.AuthorizedAt.Equal(written) {
			return connector.Change{}, nil
		}
		if kept.Pending == nil || kept.Pending.Expired(s.Now()) || !kept.Pending.Confirms(code) || !mayUse(place.Account, kept.Pending.User) {
			return connector.Change{}, ErrNotPending
		}
		written = kept.Pending.At
		record := kept.Record.Authorize(kept.Pending.SignIn, behaviour)
		return connector.Change{Record: &record, DropPending: true}, nil
	})
	if errors.Is(err, connector.ErrGone) {
		return ErrNotPending
	}
	return err
}
