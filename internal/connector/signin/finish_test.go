// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

func TestFinish(t *testing.T) {
	w := newWorld()
	service := w.service()
	asked, browser := w.begun(t, service, "")
	completion, err := service.Finish(t.Context(), "example", brings(asked), browser)
	if err != nil || completion.Outcome != (Outcome{}) || completion.Target.With(nil) != hostPage || completion.User != "jane" {
		t.Fatalf("got %+v, %v", completion, err)
	}
	if len(w.asked) != 1 || w.asked[0].Scope != "" {
		t.Fatalf("the provider was asked %+v", w.asked)
	}
	grant, is := w.asked[0].Grant.(tokenendpoint.AuthorizationCode)
	if !is || grant.Code.Reveal() != "code" || grant.RedirectURI != asked.Get("redirect_uri") || challenge(grant.Verifier) != asked.Get("code_challenge") {
		t.Errorf("the grant is %+v", grant)
	}
	record := w.grant().Record
	if record.AccessToken.Reveal() != "access" || record.RefreshToken.Reveal() != "refresh" || record.AuthorizedBy != "jane" || !record.AuthorizedAt.Equal(start) {
		t.Errorf("the record is of %s, %s", record.AuthorizedBy, record.AuthorizedAt)
	}
	if len(w.sessions) != 0 {
		t.Error("the session is still there")
	}
	if _, err := service.Finish(t.Context(), "example", brings(asked), browser); !errors.Is(err, StateUnknown) {
		t.Errorf("the second time: %v", err)
	}
}

// TestFinishInTheLastMoment: a user who took as long as there is has signed in.
func TestFinishInTheLastMoment(t *testing.T) {
	w := newWorld()
	service := w.service()
	asked, browser := w.begun(t, service, "")
	w.now = w.now.Add(SessionLifetime - 1)
	if completion, err := service.Finish(t.Context(), "example", brings(asked), browser); err != nil || completion.Outcome != (Outcome{}) || !w.grant().Record.Connected() {
		t.Errorf("got %+v, %v", completion.Outcome, err)
	}
}

// TestFinishIsRefused before anything is believed of an answer: the provider is not asked, and the grant stays.
func TestFinishIsRefused(t *testing.T) {
	for _, row := range []struct {
		name    string
		world   func(*world)
		library string
		answer  func(*Answer)
		browser func(*Browser)
		want    error
		// again says that the right answer, in the right browser, is still good after that.
		again bool
	}{
		{name: "a state of another form", answer: func(a *Answer) { a.State = oauth.NewSecret("../secrets") }, want: StateUnknown, again: true},
		{name: "no state", answer: func(a *Answer) { a.State = oauth.Secret{} }, want: StateUnknown, again: true},
		{name: "a state that never was", answer: func(a *Answer) { a.State = oauth.NewSecret(strings.Repeat("a", 43)) }, want: StateUnknown, again: true},
		{name: "another browser", browser: func(b *Browser) { b.Key = oauth.NewSecret("other") }, want: OtherBrowser, again: true},
		{name: "a browser without a cookie", browser: func(b *Browser) { *b = Browser{} }, want: OtherBrowser, again: true},
		{name: "another Connector's callback", library: "other", want: StateUnknown, again: true},
		{name: "too late", world: func(w *world) { w.now = w.now.Add(SessionLifetime) }, want: StateUnknown},
		{name: "no API server for the claim", world: func(w *world) { w.refuse = first("save session", errAway) }, want: errAway, again: true},
		{name: "somebody else was faster", world: func(w *world) { w.refuse = first("save session", ErrConflict) }, want: StateUnknown, again: true},
		{name: "the claim is kept, and nobody says so", world: func(w *world) { w.lose = first("save session", errAway) }, want: errAway},
		{name: "an origin that was taken away", world: func(w *world) { w.place.Account.Spec.AllowedOrigins = nil }, want: TargetNotAllowed},
		{name: "no cache", world: func(w *world) { w.findErr = errAway }, want: errAway},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			service := w.service()
			asked, browser := w.begun(t, service, "")
			right, library, answer := browser, "example", brings(asked)
			if row.world != nil {
				row.world(w)
			}
			if row.library != "" {
				library = row.library
			}
			if row.answer != nil {
				row.answer(&answer)
			}
			if row.browser != nil {
				row.browser(&browser)
			}
			if _, err := service.Finish(t.Context(), library, answer, browser); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if len(w.asked) != 0 || w.grant().Record.Connected() {
				t.Errorf("the provider was asked %d times", len(w.asked))
			}
			_, err := service.Finish(t.Context(), "example", brings(asked), right)
			if (err == nil) != row.again {
				t.Errorf("the right answer then: %v", err)
			}
		})
	}
}

// TestOutcomes are those that the host is told of. Whatever it is, a grant that there was before stays where the new one did not come.
func TestOutcomes(t *testing.T) {
	for _, row := range []struct {
		name   string
		world  func(*world)
		answer func(*Answer)
		want   Problem
		// asked says that the provider saw the code, revoked that it was told that nobody has its tokens.
		asked, revoked bool
	}{
		{name: "all is well", asked: true},
		{name: "the user refused", answer: func(a *Answer) { a.Error = "access_denied" }, want: AccessDenied},
		{name: "another error", answer: func(a *Answer) { a.Error = "server_error" }, want: ProviderError},
		{name: "an error of a stranger's making", answer: func(a *Answer) { a.Error = "<script>" }, want: ProviderError},
		{name: "neither code nor error", answer: func(a *Answer) { a.Code = oauth.Secret{} }, want: ProviderError},
		{name: "its own iss", world: func(w *world) { w.setup.Issuer = "https://example.com" }, answer: func(a *Answer) { a.Issuer = "https://example.com" }, asked: true},
		{name: "another iss", world: func(w *world) { w.setup.Issuer = "https://example.com" }, answer: func(a *Answer) { a.Issuer = "https://evil.example" }, want: ProviderError},
		{name: "another iss, with access_denied", world: func(w *world) { w.setup.Issuer = "https://example.com" }, answer: func(a *Answer) {
			a.Issuer, a.Error = "https://evil.example", "access_denied"
		}, want: ProviderError},
		{name: "no iss, where there always is one", world: func(w *world) { w.setup.Issuer, w.setup.IssInAnswers = "https://example.com", true }, want: ProviderError},
		{name: "no iss, where there need not be one", world: func(w *world) { w.setup.Issuer = "https://example.com" }, asked: true},
		{name: "an iss of a Connector that names no issuer", answer: func(a *Answer) { a.Issuer = "https://example.com" }, asked: true},
		{name: "the connection is gone", world: func(w *world) { w.place.Connection = nil }, want: Changed},
		{name: "the connection is another of that name", world: func(w *world) { w.place.Connection.UID = "uid-2" }, want: Changed},
		{name: "the user was taken off the list", world: func(w *world) { w.place.Account.Spec.Users = []v1alpha1.UserName{"joe"} }, want: Changed},
		{name: "another client is configured", world: func(w *world) { w.setup.Request.Client.ID = "other" }, want: Changed},
		{name: "the connection was suspended", world: func(w *world) { w.place.Verdict = fault.Waitingf(v1alpha1.ReasonSuspended, "no") }, want: NotReady},
		{name: "the Connector is gone", world: func(w *world) {
			w.place.Connector = nil
		}, want: NotReady},
		{name: "no API server for the record", world: func(w *world) { w.setupErr = errAway }, want: Unavailable},
		{name: "the provider refuses the code", world: func(w *world) { w.answer = connector.Answer{Outcome: connector.GrantRefused} }, want: ExchangeFailed, asked: true},
		{name: "nobody knows what the provider did", world: func(w *world) { w.answer = connector.Answer{Outcome: connector.Unclear} }, want: ExchangeFailed, asked: true},
		{name: "the connection goes while the provider answers", world: func(w *world) { w.during = func() { delete(w.grants, theUID) } }, want: Changed, asked: true, revoked: true},
		{name: "the record is damaged while the provider answers", world: func(w *world) {
			w.during = func() {
				w.refuse = func(operation string) error { return errIf(operation == "read grant", connector.ErrDamaged) }
			}
		}, want: Changed, asked: true, revoked: true},
		{name: "somebody else writes the record meanwhile", world: func(w *world) { w.refuse = first("save grant", connector.ErrConflict) }, asked: true},
		{name: "the API server is away for a moment", world: func(w *world) { w.refuse = first("save grant", errAway) }, asked: true},
		{name: "the tokens are written, and nobody says so", world: func(w *world) { w.lose = first("save grant", errAway) }, asked: true},
		{name: "nobody knows whether the tokens are written", world: func(w *world) { w.refuse = never("save grant") }, want: Unavailable, asked: true},
		{name: "the API server is away for long", world: func(w *world) { w.refuse = never("read grant") }, want: Unavailable, asked: true, revoked: true},
		{name: "the session cannot be deleted", world: func(w *world) { w.refuse = never("delete session") }, asked: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				service := w.service()
				asked, browser := w.begun(t, service, "")
				before := w.grant().Record
				answer := brings(asked)
				if row.world != nil {
					row.world(w)
				}
				if row.answer != nil {
					row.answer(&answer)
				}
				completion, err := service.Finish(t.Context(), "example", answer, browser)
				if err != nil || completion.Outcome.Problem != row.want || completion.Outcome.Code != "" {
					t.Fatalf("got %+v, %v, want %q", completion.Outcome, err, row.want)
				}
				if (len(w.asked) == 1) != row.asked || (len(w.revoked) == 1) != row.revoked {
					t.Errorf("the provider was asked %d times, and told of %d tokens", len(w.asked), len(w.revoked))
				}
				if row.revoked && (w.revoked[0].Hint != "refresh_token" || w.revoked[0].Token.Reveal() != "refresh") {
					t.Errorf("told of %s", w.revoked[0].Hint)
				}
				record := w.grant().Record
				if row.want == "" && (record.Generation != before.Generation+1 || !record.Connected()) || row.want != "" && record.Connected() {
					t.Errorf("the record has generation %d", record.Generation)
				}
			})
		})
	}
}

func errIf(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

// TestAccessTokensAreRevoked where the provider gave no refresh token, and nothing where it has no endpoint for that.
func TestAccessTokensAreRevoked(t *testing.T) {
	for _, has := range []bool{true, false} {
		w := newWorld()
		service := w.service()
		asked, browser := w.begun(t, service, "")
		w.answer.Tokens.Refresh = oauth.Secret{}
		w.during = func() { delete(w.grants, theUID) }
		if !has {
			w.setup.RevocationURL = ""
		}
		if _, err := service.Finish(t.Context(), "example", brings(asked), browser); err != nil {
			t.Fatal(err)
		}
		if len(w.revoked) == 1 != has || has && w.revoked[0].Hint != "access_token" {
			t.Errorf("an endpoint: %v; told of %+v", has, w.revoked)
		}
	}
}

// TestCompleted is the page that tells the window which opened ours.
func TestCompleted(t *testing.T) {
	w := newWorld()
	service := w.service()
	asked, browser := w.begun(t, service, "done")
	key := name(oauth.NewSecret(asked.Get("state")))
	if _, err := service.Completed(t.Context(), key, browser); !errors.Is(err, StateUnknown) {
		t.Errorf("before there is an outcome: %v", err)
	}
	completion, err := service.Finish(t.Context(), "example", Answer{State: oauth.NewSecret(asked.Get("state")), Error: "access_denied"}, browser)
	if err != nil || completion.Session != key {
		t.Fatalf("got %+v, %v", completion, err)
	}
	if verifier := w.sessions[key].value.Verifier; verifier != "" {
		t.Error("the session still has its verifier")
	}
	for range 2 { // it can be reloaded
		told, err := service.Completed(t.Context(), key, browser)
		if err != nil || told.Outcome.Problem != AccessDenied || told.Target.Message != "done" || told.Target.Origin() != hostOrigin {
			t.Errorf("got %+v, %v", told, err)
		}
	}
	for what, row := range map[string]struct {
		key     string
		browser Browser
		change  func()
		want    error
	}{
		"a name that is none":          {"../x", browser, nil, StateUnknown},
		"the state itself":             {asked.Get("state"), browser, nil, StateUnknown},
		"another sign-in":              {strings.Repeat("0", 64), browser, nil, StateUnknown},
		"another browser":              {key, Browser{Key: oauth.NewSecret("other")}, nil, OtherBrowser},
		"an origin that was taken":     {key, browser, func() { w.place.Account.Spec.AllowedOrigins = nil }, TargetNotAllowed},
		"as late as it is remembered":  {key, browser, func() { w.now = w.now.Add(SessionLifetime - 1) }, nil},
		"later than it is remembered":  {key, browser, func() { w.now = w.now.Add(SessionLifetime) }, StateUnknown},
		"an answer, for a second time": {"", browser, nil, StateUnknown},
	} {
		t.Run(what, func(t *testing.T) {
			now, origins := w.now, slices.Clone(w.place.Account.Spec.AllowedOrigins)
			if row.change != nil {
				row.change()
			}
			defer func() { w.now, w.place.Account.Spec.AllowedOrigins = now, origins }()
			_, err := service.Completed(t.Context(), row.key, row.browser)
			if row.key == "" {
				_, err = service.Finish(t.Context(), "example", brings(asked), row.browser)
			}
			if !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

// TestTheHostIsToldAnyway where the connection is gone: the origin was allowed, and learns of nothing but the end.
func TestTheHostIsToldAnyway(t *testing.T) {
	w := newWorld()
	service := w.service()
	asked, browser := w.begun(t, service, "done")
	w.place.Connection = nil
	completion, err := service.Finish(t.Context(), "example", brings(asked), browser)
	if err != nil || completion.Outcome.Problem != Changed || completion.Target.Origin() != hostOrigin {
		t.Errorf("got %+v, %v", completion, err)
	}
}

// TestTheOutcomeIsLost where it cannot be kept for the page: the grant is there, and the user is told to look.
func TestTheOutcomeIsLost(t *testing.T) {
	w := newWorld()
	service := w.service()
	asked, browser := w.begun(t, service, "done")
	saves := 0
	w.refuse = func(operation string) error {
		if operation == "save session" {
			saves++
		}
		return errIf(operation == "save session" && saves == 2, errAway)
	}
	if _, err := service.Finish(t.Context(), "example", brings(asked), browser); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	if !w.grant().Record.Connected() {
		t.Error("there is no grant")
	}
	if _, err := service.Finish(t.Context(), "example", brings(asked), browser); !errors.Is(err, StateUnknown) {
		t.Errorf("a reload: %v", err)
	}
}

// TestDeathBetweenWrites stops at every step of a sign-in, before it is done and after, and then has the browser come again: never are
// there two exchanges of one code, nor a grant that half a sign-in has made, nor one that the provider was told to end.
func TestDeathBetweenWrites(t *testing.T) {
	// what is left in the end: how often the code was sent, whether there is a grant, and whether the provider was told that there is none.
	type left struct {
		sent             int
		granted, revoked bool
	}
	for _, row := range []struct {
		name string
		// at is the step from which on none comes to its end.
		at int
		// after has the step done, and nobody hear of it.
		after bool
		want  left
	}{
		{"before the claim: the browser comes again, and all goes well", 0, false, left{1, true, false}},
		{"before the grant is read: nobody has the tokens, and the provider is told", 1, false, left{1, false, true}},
		{"before the grant is written: it may have been, so the tokens are left alone", 2, false, left{1, false, false}},
		{"before the end is noted", 3, false, left{1, true, false}},
		{"when it is claimed: nobody may send the code any more", 0, true, left{0, false, false}},
		{"when the grant is written", 1, true, left{1, true, false}},
		{"when the end is noted", 2, true, left{1, true, false}},
		{"never", 3, true, left{1, true, false}},
	} {
		for how, message := range map[string]string{"to a page": "", "to a window": "done"} {
			t.Run(row.name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					service := w.service()
					asked, browser := w.begun(t, service, message)
					step := 0
					die := func(string) error {
						step++
						return errIf(step > row.at, errAway)
					}
					if row.after {
						w.lose = die
					} else {
						w.refuse = die
					}
					_, _ = service.Finish(t.Context(), "example", brings(asked), browser)
					w.refuse, w.lose = nil, nil
					for range 2 {
						_, _ = service.Finish(t.Context(), "example", brings(asked), browser)
					}
					record := w.grant().Record
					if got := (left{len(w.asked), record.Connected(), len(w.revoked) > 0}); got != row.want {
						t.Errorf("got %+v, want %+v", got, row.want)
					}
					whole := record.AuthorizedBy == "jane" && record.Generation == 1 && record.AccessToken.Reveal() == "access" && record.RefreshToken.Reveal() == "refresh"
					if record.Connected() != whole {
						t.Errorf("the grant is half of one: %d, %s's", record.Generation, record.AuthorizedBy)
					}
				})
			})
		}
	}
}

func TestAuthorizationRequestOfAURLThatIsNone(t *testing.T) {
	w := newWorld()
	w.setup.AuthorizationURL = "http://[::1"
	if got := authorizationRequest(w.setup, Session{}, oauth.Secret{}, oauth.Secret{}); got != "" {
		t.Errorf("got %q", got)
	}
	if got := (Target{url: &url.URL{Scheme: "https", Host: "a.example"}}).With(nil); got != "https://a.example" {
		t.Errorf("got %q", got)
	}
}

// TestOfTwoSignInsTheLaterStays, whichever of them is written first. Replicas' clocks differ, so one that was there before this began is
// replaced whatever its time.
func TestOfTwoSignInsTheLaterStays(t *testing.T) {
	joe := func(at time.Time) connector.SignIn {
		return connector.SignIn{Tokens: connector.Tokens{Access: oauth.NewSecret("access-of-joe"), Refresh: oauth.NewSecret("refresh-of-joe")}, User: "joe", Client: "client", At: at}
	}
	for _, row := range []struct {
		name string
		// by is when joe signed in, since jane did, and meanwhile that it was written while her code was redeemed.
		by        time.Duration
		meanwhile bool
		confirm   bool
		stays     bool
	}{
		{name: "later, and meanwhile", by: time.Second, meanwhile: true, stays: true},
		{name: "sooner, and meanwhile", by: -time.Second, meanwhile: true},
		{name: "before, by a clock that is ahead", by: time.Minute},
		{name: "later, meanwhile, and to be confirmed", by: time.Second, meanwhile: true, confirm: true, stays: true},
		{name: "sooner, meanwhile, and to be confirmed", by: -time.Second, meanwhile: true, confirm: true},
		{name: "before, by a clock that is ahead, and to be confirmed", by: time.Minute, confirm: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			service := w.service()
			asked, browser := w.begun(t, service, "")
			change := connector.Change{}
			if row.confirm {
				w.place.Connection.Spec.Completion = v1alpha1.CompletionConfirm
				change.Pending = &connector.Pending{SignIn: joe(w.now.Add(row.by)), CodeHash: "of-joe"}
			} else {
				record := w.grant().Record.Authorize(joe(w.now.Add(row.by)), connector.Behaviour{})
				change.Record = &record
			}
			write := func() {
				if _, err := w.Save(t.Context(), theUID, change, versionOf(w.grants[theUID].version)); err != nil {
					t.Error(err)
				}
			}
			if row.meanwhile {
				w.during = write
			} else {
				write()
			}
			completion, err := service.Finish(t.Context(), "example", brings(asked), browser)
			kept := w.grant()
			user := kept.Record.AuthorizedBy
			if row.confirm {
				user = kept.Pending.User
			}
			if err != nil || (completion.Outcome.Problem == Changed) != row.stays || (user == "joe") != row.stays {
				t.Errorf("%s is there, and the host was told %q, %v", user, completion.Outcome.Problem, err)
			}
			if len(w.revoked) != 0 {
				t.Error("a grant was revoked, which may be the other's too")
			}
		})
	}
}
