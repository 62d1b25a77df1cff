// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// TestLook is what a link is good for: each row changes one thing about a good one. Begin refuses the same, and uses nothing up.
func TestLook(t *testing.T) {
	for _, row := range []struct {
		name   string
		wish   func(*Wish)
		world  func(*world)
		opened func(*Opening)
		want   error
	}{
		{name: "a good one"},
		{name: "a token of another form", opened: func(o *Opening) { o.Token = oauth.NewSecret("short") }, want: LinkInvalid},
		{name: "a token that is a path", opened: func(o *Opening) { o.Token = oauth.NewSecret("../" + strings.Repeat("a", 40)) }, want: LinkInvalid},
		{name: "a token that never was", opened: func(o *Opening) { o.Token = oauth.NewSecret(strings.Repeat("a", 43)) }, want: LinkDead},
		{name: "the last moment", world: func(w *world) { w.now = w.now.Add(LinkLifetime - 1) }},
		{name: "too late", world: func(w *world) { w.now = w.now.Add(LinkLifetime) }, want: LinkDead},
		{name: "no id", opened: func(o *Opening) { o.Connection = "" }, want: LinkInvalid},
		{name: "no id, which is fixed", wish: func(w *Wish) { w.Connection = theID }, opened: func(o *Opening) { o.Connection = "" }},
		{name: "another id than the one that is fixed", wish: func(w *Wish) { w.Connection = theID }, opened: func(o *Opening) { o.Connection = "acme.other" }, want: LinkInvalid},
		{name: "an id that is too long", opened: func(o *Opening) { o.Connection = strings.Repeat("a", maxID+1) }, want: LinkInvalid},
		{name: "the id of nothing", opened: func(o *Opening) { o.Connection = "acme.other" }, want: LinkInvalid},
		{name: "no target", opened: func(o *Opening) { o.Target = "" }, want: LinkInvalid},
		{name: "no target, which is fixed", wish: func(w *Wish) { w.Target = hostPage }, opened: func(o *Opening) { o.Target = "" }},
		{name: "another target than the one that is fixed", wish: func(w *Wish) { w.Target = hostPage }, opened: func(o *Opening) { o.Target = hostOrigin }, want: LinkInvalid},
		{name: "another message than the one that is fixed", wish: func(w *Wish) { w.Target, w.Message = hostOrigin, "done" }, opened: func(o *Opening) { o.Target, o.Message = "", "other" }, want: LinkInvalid},
		{name: "a target that is none", opened: func(o *Opening) { o.Target = "app" }, want: LinkInvalid},
		{name: "a page that is told", opened: func(o *Opening) { o.Message = "done" }, want: LinkInvalid},
		{name: "another origin", opened: func(o *Opening) { o.Target = "https://evil.example/" }, want: TargetNotAllowed},
		{name: "an origin that was taken away", world: func(w *world) { w.place.Account.Spec.AllowedOrigins = nil }, want: TargetNotAllowed},
		{name: "an origin of the Connector's", world: func(w *world) {
			w.place.Account.Spec.AllowedOrigins, w.place.Connector.Spec.AllowedOrigins = nil, []v1alpha1.Origin{hostOrigin}
		}},
		{name: "an origin that the connection does not name", world: func(w *world) {
			w.place.Connection.Spec.AllowedOrigins = []v1alpha1.Origin{"https://other.example"}
		}, want: TargetNotAllowed},
		{name: "an origin that the connection alone names", opened: func(o *Opening) { o.Target = "https://other.example" }, world: func(w *world) {
			w.place.Connection.Spec.AllowedOrigins = []v1alpha1.Origin{"https://other.example"}
		}, want: TargetNotAllowed},
		{name: "a connection of another account", world: func(w *world) { w.place.Connection.Spec.AccountRef.Name = "other" }, want: LinkInvalid},
		{name: "an account that is gone", world: func(w *world) { w.place.Account = nil }, want: LinkInvalid},
		{name: "a namespace that the account does not have", world: func(w *world) { w.place.Foreign = true }, want: LinkInvalid},
		{name: "a user who is listed", world: func(w *world) { w.place.Account.Spec.Users = []v1alpha1.UserName{"jane"} }},
		{name: "a user who was taken off the list", world: func(w *world) { w.place.Account.Spec.Users = []v1alpha1.UserName{"joe"} }, want: LinkDead},
		{name: "a connection that may not be used", world: func(w *world) { w.place.Verdict = fault.Waitingf(v1alpha1.ReasonSuspended, "suspended") }, want: NotReady},
		{name: "a Connector that is not there", world: func(w *world) { w.place.Connector = nil }, want: NotReady},
		{name: "a Connector that needs no user", world: func(w *world) { w.place.Connector.Spec.Grant = v1alpha1.GrantClientCredentials }, want: NotReady},
		{name: "a connection that is not configured well", world: func(w *world) { w.setupErr = fault.Terminalf(v1alpha1.ReasonInvalidProperty, "no") }, want: NotReady},
		{name: "a connection that the manager has not seen", world: func(w *world) { w.setupErr = connector.ErrGone }, want: NotReady},
		{name: "a record that is damaged", world: func(w *world) { w.setupErr = connector.ErrDamaged }, want: NotReady},
		{name: "no API server for the token", world: func(w *world) { w.refuse = never("read link") }, want: errAway},
		{name: "no API server for the record", world: func(w *world) { w.setupErr = errAway }, want: errAway},
		{name: "no cache", world: func(w *world) { w.findErr = errAway }, want: errAway},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			service := w.service()
			opening := w.issue(t, service, row.wish)
			if row.opened != nil {
				row.opened(&opening)
			}
			if row.world != nil {
				row.world(w)
			}
			before := len(w.done)
			offer, err := service.Look(t.Context(), opening)
			if !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
				t.Fatalf("got %v, want %v", err, row.want)
			}
			if len(w.done) != before {
				t.Errorf("looking has done %q", w.done[before:])
			}
			if err == nil && (offer.User != "jane" || offer.AuthorizationURL() != "https://example.com/authorize" || offer.Place.Connection == nil) {
				t.Errorf("got %+v", offer)
			}
			if row.want == nil {
				return
			}
			if _, _, err := service.Begin(t.Context(), opening, Browser{Key: oauth.NewSecret("key")}); !errors.Is(err, row.want) {
				t.Errorf("the button says %v", err)
			}
			if len(w.done) != before {
				t.Errorf("the button has done %q", w.done[before:])
			}
		})
	}
}

func TestBegin(t *testing.T) {
	w := newWorld()
	w.setup.AuthorizationURL = "https://example.com/authorize?tenant=1"
	w.setup.AuthorizationParameters = map[string]string{"access_type": "offline", "state": "evil", "redirect_uri": "https://evil.example"}
	service := w.service()
	opening := w.issue(t, service, nil)
	browser, err := service.NewBrowser()
	if err != nil {
		t.Fatal(err)
	}
	to, offer, err := service.Begin(t.Context(), opening, browser)
	if err != nil || offer.User != "jane" {
		t.Fatalf("got %+v, %v", offer, err)
	}
	parsed, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, "https://example.com/authorize?tenant=1&") {
		t.Fatalf("got %s, %v", to, err)
	}
	query := parsed.Query()
	for parameter, want := range map[string]string{
		"response_type": "code", "client_id": "client", "redirect_uri": "https://auth.example.com/connectorauth/callback/example", "scope": "a b",
		"code_challenge_method": "S256", "access_type": "offline", "tenant": "1",
	} {
		if len(query[parameter]) != 1 || query.Get(parameter) != want {
			t.Errorf("%s is %q", parameter, query[parameter])
		}
	}
	session, found := w.sessions[name(oauth.NewSecret(query.Get("state")))]
	if !found {
		t.Fatalf("there is no session of state %q: %v", query.Get("state"), w.sessions)
	}
	if challenge(oauth.NewSecret(session.value.Verifier)) != query.Get("code_challenge") {
		t.Error("the challenge is not that of the verifier")
	}
	if got := session.value; got.Connection != theID || got.UID != theUID || got.AccountID != "acme" || got.User != "jane" || got.Target != hostPage ||
		got.Browser != name(browser.Key) || !got.ExpiresAt.Equal(w.now.Add(SessionLifetime)) || got.Claimed {
		t.Errorf("the session is %+v", got)
	}
	if len(w.links) != 0 {
		t.Error("the link is still there")
	}
	for secret := range map[string]bool{opening.Token.Reveal(): true, query.Get("state"): true, browser.Key.Reveal(): true} {
		if strings.Contains(strings.Join([]string{session.value.Browser, session.value.Target, session.value.Verifier}, " "), secret) {
			t.Error("the session holds a secret of the browser's")
		}
	}
	if _, _, err := service.Begin(t.Context(), opening, browser); !errors.Is(err, LinkDead) {
		t.Errorf("the second time: %v", err)
	}
}

func TestBeginWithoutPKCE(t *testing.T) {
	w := newWorld()
	w.setup.PKCE, w.setup.Scope = v1alpha1.PKCENone, ""
	asked, _ := w.begun(t, w.service(), "")
	for _, parameter := range []string{"code_challenge", "code_challenge_method", "scope"} {
		if asked.Has(parameter) {
			t.Errorf("%s is sent", parameter)
		}
	}
}

// TestBeginFails at each of its writes: no link is used up for nothing, and no session stays that somebody could answer to.
func TestBeginFails(t *testing.T) {
	for _, row := range []struct {
		name     string
		refuse   func(string) error
		lose     func(string) error
		want     error
		link     bool
		sessions int
	}{
		{"the session is not kept", first("create session", errAway), nil, errAway, true, 0},
		{"the session is kept, and nobody says so", nil, first("create session", errAway), errAway, true, 1},
		{"the link is not used up", first("use link", errAway), nil, errAway, true, 0},
		{"the link is used up, and nobody says so", nil, first("use link", errAway), errAway, false, 0},
		{"somebody else was faster", first("use link", ErrGone), nil, LinkDead, true, 0},
		{"somebody else has touched it", first("use link", ErrConflict), nil, LinkDead, true, 0},
		{"nor can the session be taken back", never("use link", "delete session"), nil, errAway, true, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			service := w.service()
			opening := w.issue(t, service, nil)
			w.refuse, w.lose = row.refuse, row.lose
			if _, _, err := service.Begin(t.Context(), opening, Browser{Key: oauth.NewSecret("key")}); !errors.Is(err, row.want) {
				t.Errorf("got %v", err)
			}
			if (len(w.links) == 1) != row.link || len(w.sessions) != row.sessions {
				t.Errorf("there are %d links and %d sessions", len(w.links), len(w.sessions))
			}
		})
	}
}

func TestNothingIsMadeWithoutRandomness(t *testing.T) {
	w := newWorld()
	service := w.service()
	opening := w.issue(t, service, nil)
	service.Random = broken{}
	_, _, issuing := service.Issue(t.Context(), Wish{AccountID: "acme", User: "jane"})
	_, _, beginning := service.Begin(t.Context(), opening, Browser{})
	_, browsing := service.NewBrowser()
	for _, err := range []error{issuing, beginning, browsing} {
		if err == nil {
			t.Error("something was made")
		}
	}
	if len(w.links) != 1 || len(w.sessions) != 0 {
		t.Errorf("there are %d links and %d sessions", len(w.links), len(w.sessions))
	}
}

func TestIssue(t *testing.T) {
	for _, row := range []struct {
		name  string
		wish  Wish
		world func(*world)
		want  string
	}{
		{"nobody's account", Wish{AccountID: "nobody", User: "jane"}, nil, ErrNoAccount.Error()},
		{"a suspended account", Wish{AccountID: "acme", User: "jane"}, func(w *world) { w.place.Account.Spec.Suspend = true }, "the Account is suspended"},
		{"no user", Wish{AccountID: "acme"}, nil, "Username is missing"},
		{"a user of 256 characters", Wish{AccountID: "acme", User: strings.Repeat("é", 256)}, nil, ""},
		{"a user of more", Wish{AccountID: "acme", User: strings.Repeat("é", 257)}, nil, "1 to 256 characters"},
		{"a user with a control character", Wish{AccountID: "acme", User: "ja\u0085ne"}, nil, "1 to 256 characters"},
		{"a user that is no text", Wish{AccountID: "acme", User: "ja\xffne"}, nil, "1 to 256 characters"},
		{"a user who is not listed", Wish{AccountID: "acme", User: "Jane"}, func(w *world) { w.place.Account.Spec.Users = []v1alpha1.UserName{"jane"} }, "not one of the Account's users"},
		{"a message for nobody", Wish{AccountID: "acme", User: "jane", Message: "done"}, nil, "needs TargetOrigin"},
		{"a message that is too long", Wish{AccountID: "acme", User: "jane", Target: hostOrigin, Message: strings.Repeat("a", maxMessage+1)}, nil, "too long"},
		{"a target that is none", Wish{AccountID: "acme", User: "jane", Target: "app"}, nil, "TargetOrigin must be"},
		{"a page that is told", Wish{AccountID: "acme", User: "jane", Target: hostPage, Message: "done"}, nil, "TargetOrigin must be"},
		{"a target whose connection is not known yet", Wish{AccountID: "acme", User: "jane", Target: "https://other.example"}, nil, ""},
		{"a target that the connection does not allow", Wish{AccountID: "acme", User: "jane", Target: "https://other.example", Connection: theID}, nil, "TargetOrigin is not of"},
		{"a connection that is not there", Wish{AccountID: "acme", User: "jane", Connection: "acme.other"}, nil, "no AccountConnector of that"},
		{"a connection whose ID is too long", Wish{AccountID: "acme", User: "jane", Connection: strings.Repeat("a", maxID+1)}, nil, "no AccountConnector of that"},
		{"another account's connection", Wish{AccountID: "acme", User: "jane", Connection: theID}, func(w *world) { w.place.Foreign = true }, "no AccountConnector of that"},
		{"all of it", Wish{AccountID: "acme", User: "jane", Connection: theID, Target: hostOrigin, Message: "done"}, nil, ""},
		{"no API server", Wish{AccountID: "acme", User: "jane"}, func(w *world) { w.refuse = never("create link") }, errAway.Error()},
		{"no cache", Wish{AccountID: "acme", User: "jane"}, func(w *world) { w.findErr = errAway }, errAway.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			if row.world != nil {
				row.world(w)
			}
			token, expires, err := w.service().Issue(t.Context(), row.wish)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Fatalf("got %v, want %q", err, row.want)
			}
			if err != nil {
				if len(w.links) != 0 {
					t.Error("a link was made")
				}
				return
			}
			if !isOurs(token) || expires.Sub(w.now) != 5*time.Minute {
				t.Errorf("got a token of %d characters until %s", len(token.Reveal()), expires)
			}
			for kept, link := range w.links {
				if !wellNamed.MatchString(kept) || strings.Contains(kept, token.Reveal()) || link.value.User != row.wish.User || link.value.Message != row.wish.Message {
					t.Errorf("kept as %s: %+v", kept, link.value)
				}
			}
		})
	}
}
