// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/oauth"
)

var (
	errAway = errors.New("the API server is away")
	start   = time.Date(2026, 11, 27, 8, 0, 0, 123456789, time.UTC)
)

const (
	hostOrigin = "https://app.acme.example"
	hostPage   = hostOrigin + "/done?tab=crm"
	theID      = "acme.crm"
	theUID     = "uid-1"
)

// kept is something that is kept, and its version.
type kept[T any] struct {
	value   T
	version int
}

// memory is a Store and Grants, with versions as the API server has them. Each write is asked for by its name; refuse may fail it before
// it is done, lose after.
type memory struct {
	links    map[string]kept[Link]
	sessions map[string]kept[Session]
	grants   map[string]kept[connector.Kept]
	version  int
	done     []string
	refuse   func(operation string) error
	lose     func(operation string) error
}

func newMemory() *memory {
	return &memory{links: map[string]kept[Link]{}, sessions: map[string]kept[Session]{}, grants: map[string]kept[connector.Kept]{}}
}

// do carries a write out, and says what comes of it.
func (m *memory) do(operation string, write func() error) error {
	if m.refuse != nil {
		if err := m.refuse(operation); err != nil {
			return err
		}
	}
	if err := write(); err != nil {
		return err
	}
	m.done = append(m.done, operation)
	if m.lose != nil {
		return m.lose(operation)
	}
	return nil
}

func versionOf(number int) connector.Version { return connector.Version(strconv.Itoa(number)) }

func load[T any](in map[string]kept[T], name string, gone error) (T, connector.Version, error) {
	found, there := in[name]
	if !there {
		return found.value, "", gone
	}
	return found.value, versionOf(found.version), nil
}

// refusals are what a store says of a write that it does not carry out.
type refusals struct{ gone, conflict error }

// writing is a write over a version.
type writing struct {
	name     string
	over     connector.Version
	refusals refusals
}

func replace[T any](m *memory, in map[string]kept[T], w writing, change func(*T)) (connector.Version, error) {
	found, there := in[w.name]
	switch {
	case !there:
		return "", w.refusals.gone
	case versionOf(found.version) != w.over:
		return "", w.refusals.conflict
	}
	change(&found.value)
	m.version++
	found.version = m.version
	in[w.name] = found
	return versionOf(found.version), nil
}

func create[T any](m *memory, in map[string]kept[T], name string, value T) error {
	if _, there := in[name]; there {
		return errors.New("there is one of that name")
	}
	m.version++
	in[name] = kept[T]{value, m.version}
	return nil
}

func (m *memory) CreateLink(_ context.Context, name string, link Link) error {
	return m.do("create link", func() error { return create(m, m.links, name, link) })
}

func (m *memory) Link(_ context.Context, name string) (link Link, version connector.Version, err error) {
	if m.refuse != nil {
		if err := m.refuse("read link"); err != nil {
			return link, "", err
		}
	}
	return load(m.links, name, ErrGone)
}

func (m *memory) UseLink(_ context.Context, name string, of connector.Version) error {
	return m.do("use link", func() error {
		_, err := replace(m, m.links, writing{name, of, refusals{ErrGone, ErrConflict}}, func(*Link) {})
		if err == nil {
			delete(m.links, name)
		}
		return err
	})
}

func (m *memory) CreateSession(_ context.Context, name string, session Session) error {
	return m.do("create session", func() error { return create(m, m.sessions, name, session) })
}

func (m *memory) Session(_ context.Context, name string) (Session, connector.Version, error) {
	return load(m.sessions, name, ErrGone)
}

func (m *memory) SaveSession(_ context.Context, name string, session Session, over connector.Version) (version connector.Version, err error) {
	err = m.do("save session", func() (err error) {
		version, err = replace(m, m.sessions, writing{name, over, refusals{ErrGone, ErrConflict}}, func(s *Session) { *s = session })
		return err
	})
	return version, err
}

func (m *memory) DeleteSession(_ context.Context, name string) error {
	return m.do("delete session", func() error {
		delete(m.sessions, name)
		return nil
	})
}

func (m *memory) Load(_ context.Context, grant string) (connector.Kept, error) {
	if m.refuse != nil {
		if err := m.refuse("read grant"); err != nil {
			return connector.Kept{}, err
		}
	}
	found, version, err := load(m.grants, grant, connector.ErrGone)
	found.Version = version
	return found, err
}

func (m *memory) Save(_ context.Context, grant string, change connector.Change, over connector.Version) (version connector.Version, err error) {
	err = m.do("save grant", func() (err error) {
		version, err = replace(m, m.grants, writing{grant, over, refusals{connector.ErrGone, connector.ErrConflict}}, func(k *connector.Kept) {
			if change.Record != nil {
				k.Record = *change.Record
			}
			if change.Pending != nil {
				k.Pending = change.Pending
			}
			if change.DropPending {
				k.Pending = nil
			}
		})
		return err
	})
	return version, err
}

// world is what there is besides: one connection of one account, whose provider answers as it is told.
type world struct {
	*memory
	now      time.Time
	place    Place
	setup    setup.Setup
	setupErr error
	findErr  error
	answer   connector.Answer
	// during is called while the provider answers.
	during  func()
	asked   []tokenendpoint.Request
	revoked []tokenendpoint.Revocation
}

func newWorld() *world {
	w := &world{memory: newMemory(), now: start}
	w.place = Place{
		Connection: &v1alpha1.AccountConnector{
			ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "crm", UID: types.UID(theUID)},
			Spec: v1alpha1.AccountConnectorSpec{
				AccountRef: v1alpha1.AccountReference{Name: "acme"}, ConnectorRef: v1alpha1.ConnectorReference{Name: "example"},
			},
		},
		Account: &v1alpha1.Account{
			ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.AccountSpec{AllowedOrigins: []v1alpha1.Origin{hostOrigin}},
		},
		Connector: &v1alpha1.Connector{
			ObjectMeta: metav1.ObjectMeta{Name: "example"},
			Spec:       v1alpha1.ConnectorSpec{DisplayName: "Example", Grant: v1alpha1.GrantAuthorizationCode},
		},
	}
	w.setup = setup.Setup{
		Request:          tokenendpoint.Request{TokenURL: "https://example.com/token", Client: tokenendpoint.Credentials{ID: "client"}, Scope: "a b"},
		AuthorizationURL: "https://example.com/authorize", RevocationURL: "https://example.com/revoke", PKCE: v1alpha1.PKCES256, Scope: "a b",
	}
	w.answer = connector.Answer{Outcome: connector.Granted, Tokens: connector.Tokens{
		Access: oauth.NewSecret("access"), Refresh: oauth.NewSecret("refresh"), Type: "Bearer", Lifetime: time.Hour,
	}}
	w.grants[theUID] = kept[connector.Kept]{}
	return w
}

func (w *world) service() *Service {
	return &Service{
		Store: w.memory, Places: w, Grants: w.memory, Provider: w,
		RedirectURI: func(connector string) string { return "https://auth.example.com/connectorauth/callback/" + connector },
		Now:         func() time.Time { return w.now },
		Random:      &counter{},
	}
}

// counter is randomness that never comes twice.
type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	c.n++
	copy(p, bytes.Repeat([]byte{c.n}, len(p)))
	return len(p), nil
}

func (w *world) Find(_ context.Context, id string) (Place, error) {
	if w.findErr != nil {
		return Place{}, w.findErr
	}
	if w.place.Connection == nil || id != w.place.Connection.Namespace+"."+w.place.Connection.Name {
		return Place{}, ErrNoConnection
	}
	return w.place, nil
}

func (w *world) Account(_ context.Context, id string) (*v1alpha1.Account, error) {
	if w.place.Account == nil || w.place.Account.Name != id {
		return nil, w.findErr
	}
	return w.place.Account, w.findErr
}

func (w *world) Setup(context.Context, Place) (setup.Setup, connector.Kept, error) {
	return w.setup, w.grants[theUID].value, w.setupErr
}

func (w *world) Do(_ context.Context, request tokenendpoint.Request) connector.Answer {
	w.asked = append(w.asked, request)
	if w.during != nil {
		w.during()
	}
	return w.answer
}

func (w *world) Revoke(_ context.Context, revocation tokenendpoint.Revocation) error {
	w.revoked = append(w.revoked, revocation)
	return nil
}

// grant is what is kept of the connection.
func (w *world) grant() connector.Kept { return w.grants[theUID].value }

// issue makes a link for jane. change may ask for something else.
func (w *world) issue(t *testing.T, service *Service, change func(*Wish)) Opening {
	t.Helper()
	wish := Wish{AccountID: "acme", User: "jane"}
	if change != nil {
		change(&wish)
	}
	token, expires, err := service.Issue(t.Context(), wish)
	if err != nil {
		t.Fatal(err)
	}
	if !expires.Equal(w.now.Add(LinkLifetime)) {
		t.Errorf("the token is good until %s", expires)
	}
	return Opening{Token: token, Connection: theID, Target: hostPage}
}

// begun has a user who has pressed the button: what the provider was sent, and the browser.
func (w *world) begun(t *testing.T, service *Service, message string) (url.Values, Browser) {
	t.Helper()
	opening := w.issue(t, service, nil)
	if message != "" {
		opening.Target, opening.Message = hostOrigin, message
	}
	browser, err := service.NewBrowser()
	if err != nil {
		t.Fatal(err)
	}
	to, _, err := service.Begin(t.Context(), opening, browser)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query(), browser
}

// brings gives the answer that a provider sends along with that state.
func brings(asked url.Values) Answer {
	return Answer{State: oauth.NewSecret(asked.Get("state")), Code: oauth.NewSecret("code")}
}

// never fails an operation that begins so.
func never(operations ...string) func(string) error {
	return func(operation string) error {
		if slices.ContainsFunc(operations, func(begin string) bool { return strings.HasPrefix(operation, begin) }) {
			return errAway
		}
		return nil
	}
}

// first fails an operation of that name once.
func first(name string, with error) func(string) error {
	failed := false
	return func(operation string) error {
		if operation != name || failed {
			return nil
		}
		failed = true
		return with
	}
}

// broken is no randomness.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
