// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/oauth"
)

// Answer is what the provider has the browser bring (RFC 6749 section 4.1.2, RFC 9207 section 2).
type Answer struct {
	State, Code oauth.Secret
	// Error is the error code. Empty: none came.
	Error string
	// Issuer is iss. Empty: none came.
	Issuer string
}

// Completion is how a sign-in ends.
type Completion struct {
	// Session names the sign-in for Completed, which only the same browser can ask.
	Session string
	Outcome Outcome
	Target  Target
	// Place is what it is about. Its Connector may be nil.
	Place Place
	User  string
}

// finishWithin bounds what is done about an answer: the exchange, the write, and what goes with them.
const finishWithin = 50 * time.Second

// Finish takes the provider's answer, once. Its error is StateUnknown, OtherBrowser, TargetNotAllowed or, where the API server is away,
// another one: then there is nobody to tell. Everything else is told as the Outcome. Once the code is on its way it goes on when the
// context ends: whoever has sent it must have its answer.
func (s *Service) Finish(ctx context.Context, library string, answer Answer, browser Browser) (Completion, error) {
	if !isOurs(answer.State) {
		return Completion{}, StateUnknown
	}
	key := name(answer.State)
	session, version, err := s.session(ctx, key, browser)
	if err != nil {
		return Completion{}, err
	}
	if session.Claimed || session.Connector != library { // another application's answer, mixed up with this one (RFC 9700 section 2.1)
		return Completion{}, StateUnknown
	}
	session.Claimed = true
	version, err = s.Store.SaveSession(ctx, key, session, version)
	switch {
	case errors.Is(err, ErrGone), errors.Is(err, ErrConflict):
		return Completion{}, StateUnknown
	case err != nil:
		return Completion{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	completion, err := s.open(ctx, key, session)
	if err != nil {
		return Completion{}, err
	}
	completion.Outcome = s.conclude(ctx, &session, completion.Place, answer)
	session.Outcome, session.Verifier = &completion.Outcome, ""
	if !completion.Target.Posts() {
		_ = s.Store.DeleteSession(ctx, key) // the browser is told at once; and it expires anyway
		return completion, nil
	}
	if _, err := s.Store.SaveSession(ctx, key, session, version); err != nil {
		return Completion{}, err
	}
	return completion, nil
}

// Completed gives what a sign-in has come to, to the browser that it was made in. It fails as Finish does.
func (s *Service) Completed(ctx context.Context, key string, browser Browser) (Completion, error) {
	if !wellNamed.MatchString(key) {
		return Completion{}, StateUnknown
	}
	session, _, err := s.session(ctx, key, browser)
	if err != nil {
		return Completion{}, err
	}
	if session.Outcome == nil {
		return Completion{}, StateUnknown
	}
	completion, err := s.open(ctx, key, session)
	completion.Outcome = *session.Outcome
	return completion, err
}

// session finds a sign-in of this browser. That of another is left as it is, so that nobody spoils it.
func (s *Service) session(ctx context.Context, key string, browser Browser) (Session, connector.Version, error) {
	session, version, err := s.Store.Session(ctx, key)
	switch {
	case errors.Is(err, ErrGone):
		return Session{}, "", StateUnknown
	case err != nil:
		return Session{}, "", err
	case subtle.ConstantTimeCompare([]byte(name(browser.Key)), []byte(session.Browser)) != 1:
		return Session{}, "", OtherBrowser
	case !s.Now().Before(session.ExpiresAt):
		return Session{}, "", StateUnknown
	}
	return session, version, nil
}

// open finds what a session is about and where it ends. An origin that is not allowed any more is told nothing.
func (s *Service) open(ctx context.Context, key string, session Session) (Completion, error) {
	completion := Completion{Session: key, User: session.User}
	var err error
	if completion.Target, err = ParseTarget(session.Target, session.Message); err != nil {
		return completion, err
	}
	completion.Place, err = s.Places.Find(ctx, session.Connection)
	switch {
	case errors.Is(err, ErrNoConnection):
		// There is nobody left who could allow an origin. It was allowed when the sign-in began, and learns of nothing but the end.
		return completion, nil
	case err != nil:
		return completion, err
	case !allows(AllowedOrigins(completion.Place), completion.Target):
		return completion, TargetNotAllowed
	}
	return completion, nil
}

// conclude says what comes of an answer.
func (s *Service) conclude(ctx context.Context, session *Session, place Place, answer Answer) Outcome {
	if place.Connection == nil || string(place.Connection.UID) != session.UID || place.Account == nil || !mayUse(place.Account, session.User) {
		return Outcome{Problem: Changed}
	}
	made, before, err := s.ready(ctx, place)
	switch {
	case errors.Is(err, NotReady):
		return Outcome{Problem: NotReady}
	case err != nil:
		return Outcome{Problem: Unavailable}
	case made.Request.Client.ID != session.Client:
		return Outcome{Problem: Changed}
	case !issuedBy(made, answer.Issuer): // before anything else is believed (RFC 9207 section 2.4)
		return Outcome{Problem: ProviderError}
	case answer.Error == string(AccessDenied):
		return Outcome{Problem: AccessDenied}
	case answer.Error != "" || answer.Code.Reveal() == "":
		return Outcome{Problem: ProviderError}
	}
	request := made.Request
	request.Scope = ""
	request.Grant = tokenendpoint.AuthorizationCode{
		Code: answer.Code, Verifier: oauth.NewSecret(session.Verifier), RedirectURI: session.RedirectURI,
	}
	got := s.Provider.Do(ctx, request)
	if got.Outcome != connector.Granted {
		return Outcome{Problem: ExchangeFailed}
	}
	return s.commit(ctx, made, entering{
		place: place, before: before,
		signIn: connector.SignIn{Tokens: got.Tokens, User: session.User, Client: session.Client, At: s.Now()},
	})
}

// entering is a sign-in that is to be written down.
type entering struct {
	place  Place
	signIn connector.SignIn
	// before is what was kept of the grant before the code was sent.
	before connector.Kept
}

// issuedBy reports whether an answer is the provider's own.
func issuedBy(made setup.Setup, issuer string) bool {
	if issuer == "" {
		return !made.IssInAnswers
	}
	return made.Issuer == "" || issuer == made.Issuer
}

// commit writes tokens down before anything else is done with them: as the grant or, where the host has to confirm it, beside the one
// that there is. Where they certainly are not, the provider is told that nobody has
// them.
func (s *Service) commit(ctx context.Context, made setup.Setup, e entering) Outcome {
	code, err := s.confirmation(e.place)
	tried := false
	if err == nil {
		err = s.change(ctx, string(e.place.Connection.UID), func(kept connector.Kept) (connector.Change, error) {
			tried = true
			if e.overtaken(kept) {
				return connector.Change{}, errOvertaken
			}
			return e.entry(kept, made.Behaviour, code), nil
		})
	}
	switch {
	case err == nil:
		return Outcome{Code: code.Reveal()}
	case errors.Is(err, connector.ErrGone), errors.Is(err, connector.ErrDamaged):
		s.revoke(ctx, made, e.signIn.Tokens)
		return Outcome{Problem: Changed}
	case errors.Is(err, errOvertaken): // to some providers both are one grant, so that revoking this one would end the other
		return Outcome{Problem: Changed}
	case tried: // they may be written, and good tokens that somebody lives on are worth more than a grant that nobody has
		return Outcome{Problem: Unavailable}
	default:
		s.revoke(ctx, made, e.signIn.Tokens)
		return Outcome{Problem: Unavailable}
	}
}

var errOvertaken = errors.New("a later sign-in was faster")

// overtaken reports whether somebody has signed in, or imported tokens, while the code was redeemed, and later than this. To some
// providers the later of two is the only one that lives. Replicas' clocks differ, so nothing is said by time alone.
func (e entering) overtaken(now connector.Kept) bool {
	later := func(before, now time.Time) bool { return !now.Equal(before) && now.After(e.signIn.At) }
	return later(e.before.Record.AuthorizedAt, now.Record.AuthorizedAt) || later(pendingSince(e.before), pendingSince(now))
}

// pendingSince gives when a sign-in was that waits to be confirmed, or zero.
func pendingSince(kept connector.Kept) time.Time {
	if kept.Pending == nil {
		return time.Time{}
	}
	return kept.Pending.At
}

// entry gives what is written of a sign-in, which is nothing where it is written already: whoever asks may not know.
func (e entering) entry(kept connector.Kept, behaviour connector.Behaviour, code oauth.Secret) connector.Change {
	if code.Reveal() != "" {
		return connector.Change{Pending: &connector.Pending{SignIn: e.signIn, CodeHash: connector.HashCode(code)}}
	}
	if kept.Record.AuthorizedAt.Equal(e.signIn.At) {
		return connector.Change{}
	}
	record := kept.Record.Authorize(e.signIn, behaviour)
	return connector.Change{Record: &record, DropPending: true}
}

// revoke tells the provider that nobody has tokens which it has just given. Best effort.
func (s *Service) revoke(ctx context.Context, made setup.Setup, tokens connector.Tokens) {
	token, hint := tokens.Refresh, "refresh_token"
	if token.Reveal() == "" {
		token, hint = tokens.Access, "access_token"
	}
	if made.RevocationURL != "" {
		_ = s.Provider.Revoke(ctx, tokenendpoint.Revocation{URL: made.RevocationURL, Client: made.Request.Client, Token: token, Hint: hint})
	}
}
