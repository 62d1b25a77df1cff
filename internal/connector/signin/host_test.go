// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// pending has a sign-in that waits for the host, and gives the code.
func (w *world) pending(t *testing.T, service *Service) oauth.Secret {
	t.Helper()
	w.place.Connection.Spec.Completion = v1alpha1.CompletionConfirm
	asked, browser := w.begun(t, service, "")
	completion, err := service.Finish(t.Context(), "example", brings(asked), browser)
	if err != nil || completion.Outcome.Code == "" {
		t.Fatalf("got %+v, %v", completion, err)
	}
	return oauth.NewSecret(completion.Outcome.Code)
}

func TestConfirm(t *testing.T) {
	for _, row := range []struct {
		name    string
		world   func(*world)
		account string
		id      string
		code    func(oauth.Secret) oauth.Secret
		want    error
		granted bool
	}{
		{name: "the code", granted: true},
		{name: "another code", code: func(oauth.Secret) oauth.Secret { return oauth.NewSecret(strings.Repeat("a", 43)) }, want: ErrNotPending},
		{name: "no code", code: func(oauth.Secret) oauth.Secret { return oauth.Secret{} }, want: ErrNotPending},
		{name: "the last moment", world: func(w *world) { w.now = w.now.Add(connector.ConfirmWithin - 1) }, granted: true},
		{name: "too late", world: func(w *world) { w.now = w.now.Add(connector.ConfirmWithin) }, want: ErrNotPending},
		{name: "another account", account: "other", want: ErrNoConnection},
		{name: "another connection", id: "acme.other", want: ErrNoConnection},
		{name: "the user was taken off the list", world: func(w *world) { w.place.Account.Spec.Users = []v1alpha1.UserName{"joe"} }, want: ErrNotPending},
		{name: "the Connector is gone", world: func(w *world) { w.place.Connector = nil }, granted: true},
		{name: "the record is gone", world: func(w *world) { delete(w.grants, theUID) }, want: ErrNotPending},
		{name: "somebody else writes the record meanwhile", world: func(w *world) { w.refuse = first("save grant", connector.ErrConflict) }, granted: true},
		{name: "the API server is away for a moment", world: func(w *world) { w.refuse = first("save grant", errAway) }, granted: true},
		{name: "it is confirmed, and nobody says so", world: func(w *world) { w.lose = first("save grant", errAway) }, granted: true},
		{name: "the API server is away for long", world: func(w *world) { w.refuse = never("save grant") }, want: errAway},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				service := w.service()
				code := w.pending(t, service)
				if w.grant().Record.Connected() || w.grant().Pending == nil {
					t.Fatal("the tokens are used already")
				}
				right := code
				if row.code != nil {
					code = row.code(code)
				}
				if row.world != nil {
					row.world(w)
				}
				account, id := "acme", theID
				if row.account != "" {
					account = row.account
				}
				if row.id != "" {
					id = row.id
				}
				if err := service.Confirm(t.Context(), account, id, code); !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
					t.Fatalf("got %v, want %v", err, row.want)
				}
				record := w.grant().Record
				if record.Connected() != row.granted || row.granted && (record.Generation != 1 || !record.AuthorizedAt.Equal(start) || w.grant().Pending != nil) {
					t.Errorf("the record has generation %d", record.Generation)
				}
				if row.granted {
					if err := service.Confirm(t.Context(), "acme", theID, right); !errors.Is(err, ErrNotPending) {
						t.Errorf("the second time: %v", err)
					}
				}
			})
		})
	}
}

// TestTheStricterOfTwoWins: neither the platform team nor the tenant can be talked out of a confirmation by the other.
func TestTheStricterOfTwoWins(t *testing.T) {
	for _, row := range []struct {
		account, connection v1alpha1.SignInCompletion
		confirms            bool
	}{
		{"", v1alpha1.CompletionImmediate, false},
		{v1alpha1.CompletionImmediate, v1alpha1.CompletionImmediate, false},
		{v1alpha1.CompletionImmediate, v1alpha1.CompletionConfirm, true},
		{v1alpha1.CompletionConfirm, v1alpha1.CompletionImmediate, true},
		{v1alpha1.CompletionConfirm, v1alpha1.CompletionConfirm, true},
	} {
		w := newWorld()
		w.place.Account.Spec.SignInCompletion, w.place.Connection.Spec.Completion = row.account, row.connection
		service := w.service()
		asked, browser := w.begun(t, service, "")
		completion, err := service.Finish(t.Context(), "example", brings(asked), browser)
		if err != nil || (completion.Outcome.Code != "") != row.confirms || w.grant().Record.Connected() == row.confirms {
			t.Errorf("with %q of the Account and %q of the connection: %v", row.account, row.connection, err)
		}
	}
}

// TestAConfirmationThatIsOvertaken by another sign-in is none of this one.
func TestAConfirmationThatIsOvertaken(t *testing.T) {
	w := newWorld()
	service := w.service()
	before := w.pending(t, service)
	w.now = w.now.Add(time.Minute)
	now := w.pending(t, service)
	if err := service.Confirm(t.Context(), "acme", theID, before); !errors.Is(err, ErrNotPending) {
		t.Errorf("the first code: %v", err)
	}
	if err := service.Confirm(t.Context(), "acme", theID, now); err != nil {
		t.Errorf("the second code: %v", err)
	}
}

func valueOf(t *testing.T, text string) connector.AuthValue {
	t.Helper()
	value, err := connector.ParseAuthValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestImport(t *testing.T) {
	const first, second = `{"AccessToken":"a","RefreshToken":"r"}`, `{"AccessToken":"b"}`
	w := newWorld()
	service := w.service()
	code := w.pending(t, service)
	for _, row := range []struct {
		name, text string
		generation int64
		token      string
	}{
		{"nothing", `{}`, 0, ""},
		{"tokens", first, 1, "a"},
		{"the same", first, 1, "a"},
		{"nothing again, which is not another content", `{}`, 1, "a"},
		{"the same again", first, 1, "a"},
		{"others", second, 2, "b"},
		{"the first ones, which are others again", first, 3, "a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := service.Import(t.Context(), "acme", theID, valueOf(t, row.text)); err != nil {
				t.Fatal(err)
			}
			record := w.grant().Record
			if record.Generation != row.generation || record.AccessToken.Reveal() != row.token {
				t.Errorf("got generation %d", record.Generation)
			}
		})
	}
	if err := service.Confirm(t.Context(), "acme", theID, code); !errors.Is(err, ErrNotPending) {
		t.Errorf("a sign-in of before can be confirmed still: %v", err)
	}
}

func TestImportFails(t *testing.T) {
	misconfigured := fault.Terminalf(v1alpha1.ReasonInvalidProperty, "no")
	for _, row := range []struct {
		name  string
		world func(*world)
		want  error
	}{
		{"no such connection", func(w *world) { w.place.Connection = nil }, ErrNoConnection},
		{"a namespace that the account does not have", func(w *world) { w.place.Foreign = true }, ErrNoConnection},
		{"a connection that is not configured well", func(w *world) { w.setupErr = misconfigured }, misconfigured},
		{"the manager has not seen it", func(w *world) { delete(w.grants, theUID) }, connector.ErrGone},
		{"the record is damaged", func(w *world) {
			w.refuse = func(operation string) error { return errIf(operation == "read grant", connector.ErrDamaged) }
		}, connector.ErrDamaged},
		{"the API server is away", func(w *world) { w.refuse = never("read grant") }, errAway},
		{"it is written once, though nobody says so", func(w *world) { w.lose = first("save grant", errAway) }, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				row.world(w)
				err := w.service().Import(t.Context(), "acme", theID, valueOf(t, `{"AccessToken":"a"}`))
				if !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
					t.Errorf("got %v, want %v", err, row.want)
				}
				if row.want == nil && w.grant().Record.Generation != 1 {
					t.Errorf("got generation %d", w.grant().Record.Generation)
				}
			})
		})
	}
}

func TestState(t *testing.T) {
	w := newWorld()
	service := w.service()
	if _, err := service.State(t.Context(), "other", theID); !errors.Is(err, ErrNoConnection) {
		t.Errorf("another account's: %v", err)
	}
	if _, err := service.State(t.Context(), "acme", strings.Repeat("a", maxID+1)); !errors.Is(err, ErrNoConnection) {
		t.Errorf("an ID that is too long: %v", err)
	}
	w.pending(t, service)
	state, err := service.State(t.Context(), "acme", theID)
	if err != nil || state.Kept.Pending == nil || state.Place.Connection == nil {
		t.Errorf("got %+v, %v", state, err)
	}
	w.refuse = never("read grant")
	if _, err := service.State(t.Context(), "acme", theID); !errors.Is(err, errAway) {
		t.Errorf("without the API server: %v", err)
	}
	w.refuse = nil
	delete(w.grants, theUID)
	if state, err := service.State(t.Context(), "acme", theID); err != nil || state.Kept.Record.Connected() {
		t.Errorf("before the manager has seen it: %+v, %v", state, err)
	}
}

// TestChange is how long a write is tried, and what ends it.
func TestChange(t *testing.T) {
	decided := errors.New("decided")
	for _, row := range []struct {
		name   string
		refuse func(string) error
		decide error
		change connector.Change
		want   error
		took   time.Duration
		writes int
	}{
		{"at once", nil, nil, connector.Change{DropPending: true}, nil, 0, 1},
		{"nothing to do", nil, nil, connector.Change{}, nil, 0, 0},
		{"whoever decides is against it", nil, decided, connector.Change{}, decided, 0, 0},
		{"there is nothing", first("read grant", connector.ErrGone), nil, connector.Change{DropPending: true}, connector.ErrGone, 0, 0},
		{"what there is is damaged", first("read grant", connector.ErrDamaged), nil, connector.Change{DropPending: true}, connector.ErrDamaged, 0, 0},
		{"it goes before the write", first("save grant", connector.ErrGone), nil, connector.Change{DropPending: true}, connector.ErrGone, 0, 0},
		{"a conflict", first("save grant", connector.ErrConflict), nil, connector.Change{DropPending: true}, nil, changeAgain, 1},
		{"away for a moment", first("read grant", errAway), nil, connector.Change{DropPending: true}, nil, changeAgain, 1},
		{"away for ever", never("save grant"), nil, connector.Change{DropPending: true}, errAway, changeWithin, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.refuse = row.refuse
				began := time.Now()
				err := w.service().change(t.Context(), theUID, func(connector.Kept) (connector.Change, error) { return row.change, row.decide })
				if !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
					t.Errorf("got %v, want %v", err, row.want)
				}
				if took := time.Since(began); took != row.took || len(w.done) != row.writes {
					t.Errorf("it took %s and %d writes, want %s and %d", took, len(w.done), row.took, row.writes)
				}
			})
		})
	}
}
