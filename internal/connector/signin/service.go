// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
)

// ErrGone says that there is nothing under that name, any more or ever.
var ErrGone = errors.New("there is no such sign-in")

// ErrConflict says that somebody else was faster.
var ErrConflict = errors.New("the sign-in has changed since it was read")

// ErrNoConnection says that there is no such connection.
var ErrNoConnection = errors.New("there is no such AccountConnector")

var errRandom = errors.New("there is no randomness")

// Store keeps links and sessions where every replica finds them, each under a name that gives nothing away. A version names one state
// of what is kept. Any error but ErrGone and ErrConflict says that nobody knows what became of a write.
type Store interface {
	CreateLink(ctx context.Context, name string, link Link) error
	Link(ctx context.Context, name string) (Link, connector.Version, error)
	// UseLink deletes a link, if it is still that version: of all who try, one succeeds.
	UseLink(ctx context.Context, name string, of connector.Version) error

	CreateSession(ctx context.Context, name string, session Session) error
	Session(ctx context.Context, name string) (Session, connector.Version, error)
	SaveSession(ctx context.Context, name string, session Session, over connector.Version) (connector.Version, error)
	DeleteSession(ctx context.Context, name string) error
}

// Place is a connection with all that decides about it.
type Place struct {
	Connection *v1alpha1.AccountConnector
	// Account and Connector are nil where they do not exist.
	Account   *v1alpha1.Account
	Connector *v1alpha1.Connector
	// Foreign says that the Account does not have the connection's namespace: whatever is asked of the account's connections, it is none.
	Foreign bool
	// Verdict says why the rules do not let the connection be used, or nil.
	Verdict error
}

// Confirms reports whether the host's backend has to confirm a sign-in: the stricter of what the Account and the connection say.
func (p Place) Confirms() bool {
	return p.Connection.Spec.Completion == v1alpha1.CompletionConfirm || p.Account != nil && p.Account.Spec.SignInCompletion == v1alpha1.CompletionConfirm
}

// Places finds connections, as they are now.
type Places interface {
	// Find finds the connection of an AccountConnectorID. It fails with ErrNoConnection.
	Find(ctx context.Context, id string) (Place, error)
	// Account finds an account. It is nil where there is none.
	Account(ctx context.Context, id string) (*v1alpha1.Account, error)
	// Setup says how the provider is talked to, and what is kept of the grant now. It fails with a fault where the connection is not
	// configured well.
	Setup(ctx context.Context, place Place) (setup.Setup, connector.Kept, error)
}

// Grants keeps what is kept of grants. It fails with connector.ErrGone, connector.ErrDamaged and connector.ErrConflict.
type Grants interface {
	Load(ctx context.Context, grant string) (connector.Kept, error)
	Save(ctx context.Context, grant string, change connector.Change, over connector.Version) (connector.Version, error)
}

// Provider calls token and revocation endpoints.
type Provider interface {
	Do(ctx context.Context, request tokenendpoint.Request) connector.Answer
	Revoke(ctx context.Context, revocation tokenendpoint.Revocation) error
}

// Service is the use cases of a sign-in. All of its fields are required. It keeps nothing itself, so every replica can do every step.
type Service struct {
	Store    Store
	Places   Places
	Grants   Grants
	Provider Provider
	// RedirectURI gives that of a Connector.
	RedirectURI func(connector string) string
	Now         func() time.Time
	Random      io.Reader
}

// mayUse reports whether a user may sign in for an account.
func mayUse(account *v1alpha1.Account, user string) bool {
	return len(account.Spec.Users) == 0 || slices.Contains(account.Spec.Users, v1alpha1.UserName(user))
}
