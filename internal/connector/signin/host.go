// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

// ErrNoAccount says that there is no such account.
var ErrNoAccount = errors.New("there is no such Account")

// Mistake is what is wrong with a request of the host's backend, in words that quote nothing.
type Mistake string

func (m Mistake) Error() string { return string(m) }

// Wish is a sign-in that the host's backend asks for. What is empty but User is left open.
type Wish struct {
	AccountID, User             string
	Connection, Target, Message string
}

// maxUser bounds the name of a user, in characters.
const maxUser = 256

// Issue makes a sign-in token, and says until when it is good. It fails with ErrNoAccount, or a Mistake.
func (s *Service) Issue(ctx context.Context, wish Wish) (oauth.Secret, time.Time, error) {
	account, err := s.Places.Account(ctx, wish.AccountID)
	if err != nil {
		return oauth.Secret{}, time.Time{}, err
	}
	if account == nil {
		return oauth.Secret{}, time.Time{}, ErrNoAccount
	}
	if err := s.checkWish(ctx, account, wish); err != nil {
		return oauth.Secret{}, time.Time{}, err
	}
	token, err := s.newSecret()
	if err != nil {
		return oauth.Secret{}, time.Time{}, err
	}
	link := Link{
		AccountID: wish.AccountID, User: wish.User, Connection: wish.Connection, Target: wish.Target, Message: wish.Message,
		ExpiresAt: s.Now().Add(LinkLifetime),
	}
	if err := s.Store.CreateLink(ctx, name(token), link); err != nil {
		return oauth.Secret{}, time.Time{}, fmt.Errorf("keeping a sign-in token: %w", err)
	}
	return token, link.ExpiresAt, nil
}

func (s *Service) checkWish(ctx context.Context, account *v1alpha1.Account, wish Wish) error {
	switch {
	case account.Spec.Suspend:
		return Mistake("the Account is suspended")
	case wish.User == "":
		return Mistake("Username is missing")
	case !isName(wish.User):
		return Mistake("Username must have 1 to 256 characters, and no control characters")
	case !mayUse(account, wish.User):
		return Mistake("Username is not one of the Account's users")
	case len(wish.Message) > maxMessage:
		return Mistake("CallbackMessage is too long")
	case wish.Message != "" && wish.Target == "":
		return Mistake("CallbackMessage needs TargetOrigin: it is posted to no other origin")
	}
	var target Target
	if wish.Target != "" {
		var err error
		if target, err = ParseTarget(wish.Target, wish.Message); err != nil {
			return Mistake("TargetOrigin must be an absolute http or https URL or, with CallbackMessage, an origin such as https://app.example.com")
		}
	}
	if wish.Connection == "" {
		return nil
	}
	place, err := s.Of(ctx, wish.AccountID, wish.Connection)
	if errors.Is(err, ErrNoConnection) {
		return Mistake("the account has no AccountConnector of that AccountConnectorId")
	}
	if err == nil && wish.Target != "" && !allows(AllowedOrigins(place), target) {
		return Mistake("TargetOrigin is not of an origin that spec.allowedOrigins of the Account or the Connector has")
	}
	return err
}

func isName(text string) bool {
	for _, c := range text {
		if unicode.IsControl(c) {
			return false
		}
	}
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxUser
}

// Of finds a connection of an account. It fails with ErrNoConnection, also where it is another account's, or where the account's
// namespaces do not have it.
func (s *Service) Of(ctx context.Context, accountID, id string) (Place, error) {
	if len(id) > maxID {
		return Place{}, ErrNoConnection
	}
	place, err := s.Places.Find(ctx, id)
	if err == nil && (place.Account == nil || place.Account.Name != accountID || place.Foreign) {
		return Place{}, ErrNoConnection
	}
	return place, err
}

// State is what there is to poll of a connection.
type State struct {
	Place Place
	Kept  connector.Kept
}

// State gives the state of a connection, as it is kept now. It fails with ErrNoConnection.
func (s *Service) State(ctx context.Context, accountID, id string) (State, error) {
	place, err := s.Of(ctx, accountID, id)
	if err != nil {
		return State{}, err
	}
	kept, err := s.Grants.Load(ctx, string(place.Connection.UID))
	if errors.Is(err, connector.ErrGone) {
		err = nil // the manager has not made it yet
	}
	if kept.Pending != nil && kept.Pending.Expired(s.Now()) {
		kept.Pending = nil // the manager drops it
	}
	return State{Place: place, Kept: kept}, err
}

// Import takes tokens that the host has obtained, once for each content. It fails with ErrNoConnection, with a fault where the connection
// is not configured well, or with connector.ErrGone where the manager has not seen it yet.
func (s *Service) Import(ctx context.Context, accountID, id string, value connector.AuthValue) error {
	place, err := s.Of(ctx, accountID, id)
	if err != nil || value.Empty() {
		return err
	}
	made, _, err := s.Places.Setup(ctx, place)
	if err != nil {
		return err
	}
	return s.change(ctx, string(place.Connection.UID), func(kept connector.Kept) (connector.Change, error) {
		if kept.Record.Pushed == value.Fingerprint {
			return connector.Change{}, nil
		}
		record := kept.Record.Import(value, made.Behaviour, made.Request.Client.ID, s.Now())
		record.Pushed = value.Fingerprint
		return connector.Change{Record: &record, DropPending: true}, nil
	})
}
