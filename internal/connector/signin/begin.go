// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"maps"
	"net/url"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// Offer is a sign-in that a link is good for.
type Offer struct {
	Place Place
	User  string
	// Target is where it ends, and Origins where it might.
	Target  Target
	Origins []string

	setup   setup.Setup
	version connector.Version
}

// AuthorizationURL is the provider's authorization endpoint.
func (o Offer) AuthorizationURL() string { return o.setup.AuthorizationURL }

// Look says what a link is good for. It uses nothing up. It fails with LinkInvalid, LinkDead, TargetNotAllowed, NotReady or, where the
// API server is away, another error. The Offer that comes with NotReady says which application it is about.
func (s *Service) Look(ctx context.Context, opening Opening) (Offer, error) {
	if !isOurs(opening.Token) || len(opening.Connection) > maxID {
		return Offer{}, LinkInvalid
	}
	link, version, err := s.Store.Link(ctx, name(opening.Token))
	switch {
	case errors.Is(err, ErrGone):
		return Offer{}, LinkDead
	case err != nil:
		return Offer{}, err
	case !s.Now().Before(link.ExpiresAt):
		return Offer{}, LinkDead
	}
	opening, err = link.fix(opening)
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{User: link.User, version: version}
	if offer.Target, err = ParseTarget(opening.Target, opening.Message); err != nil {
		return Offer{}, err
	}
	offer.Place, err = s.Places.Find(ctx, opening.Connection)
	if errors.Is(err, ErrNoConnection) {
		return Offer{}, LinkInvalid
	}
	if err != nil {
		return Offer{}, err
	}
	return s.judge(ctx, offer, link)
}

// fix fills in what the link fixes, and refuses another value of it.
func (l Link) fix(opening Opening) (Opening, error) {
	for _, field := range []struct {
		fixed string
		given *string
	}{{l.Connection, &opening.Connection}, {l.Target, &opening.Target}, {l.Message, &opening.Message}} {
		switch {
		case field.fixed == "":
		case *field.given == "":
			*field.given = field.fixed
		case *field.given != field.fixed:
			return Opening{}, LinkInvalid
		}
	}
	if opening.Connection == "" || opening.Target == "" {
		return Opening{}, LinkInvalid
	}
	return opening, nil
}

// judge says whether a link may be used for a place.
func (s *Service) judge(ctx context.Context, offer Offer, link Link) (Offer, error) {
	place := offer.Place
	if place.Connection.Spec.AccountRef.Name != link.AccountID || place.Account == nil || place.Foreign {
		return Offer{}, LinkInvalid // another account's: nothing is told of it
	}
	offer.Origins = AllowedOrigins(place)
	if !allows(offer.Origins, offer.Target) {
		return Offer{}, TargetNotAllowed
	}
	if !mayUse(place.Account, link.User) {
		return Offer{}, LinkDead // the user was taken off the list since
	}
	var err error
	offer.setup, _, err = s.ready(ctx, place)
	return offer, err
}

// ready gives how the provider of a place is talked to, where a user can sign in there, and what is kept of the grant. It fails with
// NotReady.
func (s *Service) ready(ctx context.Context, place Place) (setup.Setup, connector.Kept, error) {
	if place.Verdict != nil || place.Connector == nil || place.Connector.Spec.Grant != v1alpha1.GrantAuthorizationCode {
		return setup.Setup{}, connector.Kept{}, NotReady
	}
	made, kept, err := s.Places.Setup(ctx, place)
	if _, isFault := fault.As(err); isFault || errors.Is(err, connector.ErrGone) || errors.Is(err, connector.ErrDamaged) {
		return setup.Setup{}, connector.Kept{}, NotReady
	}
	return made, kept, err
}

// Begin uses a link up, and gives the URL of the authorization request (RFC 6749 section 4.1.1). Of all who use one link, one succeeds;
// others fail with LinkDead. It fails as Look does otherwise.
func (s *Service) Begin(ctx context.Context, opening Opening, browser Browser) (string, Offer, error) {
	offer, err := s.Look(ctx, opening)
	if err != nil {
		return "", offer, err
	}
	state, err := s.newSecret()
	if err != nil {
		return "", offer, err
	}
	session := offer.session(browser)
	session.RedirectURI, session.ExpiresAt = s.RedirectURI(session.Connector), s.Now().Add(SessionLifetime)
	verifier := oauth.Secret{}
	if offer.setup.PKCE != v1alpha1.PKCENone {
		if verifier, err = s.newSecret(); err != nil {
			return "", offer, err
		}
		session.Verifier = verifier.Reveal()
	}
	// The session first: whoever dies in between leaves a link that still works, and a session that nobody knows the state of.
	if err := s.Store.CreateSession(ctx, name(state), session); err != nil {
		return "", offer, err
	}
	if err := s.Store.UseLink(ctx, name(opening.Token), offer.version); err != nil {
		_ = s.Store.DeleteSession(context.WithoutCancel(ctx), name(state)) // it expires anyway
		if errors.Is(err, ErrGone) || errors.Is(err, ErrConflict) {
			return "", offer, LinkDead
		}
		return "", offer, err
	}
	return authorizationRequest(offer.setup, session, state, verifier), offer, nil
}

func (o Offer) session(browser Browser) Session {
	connection := o.Place.Connection
	return Session{
		Connection: connection.Namespace + "." + connection.Name, UID: string(connection.UID), Connector: o.Place.Connector.Name,
		AccountID: connection.Spec.AccountRef.Name, User: o.User, Target: o.Target.With(nil), Message: o.Target.Message,
		Client: o.setup.Request.Client.ID, Browser: name(browser.Key),
	}
}

// authorizationRequest gives the URL. What the protocol says cannot be overridden by what the Connector adds.
func authorizationRequest(made setup.Setup, session Session, state, verifier oauth.Secret) string {
	query := url.Values{}
	for parameter, value := range made.AuthorizationParameters {
		query.Set(parameter, value)
	}
	own := map[string]string{
		"response_type": "code", "client_id": session.Client, "redirect_uri": session.RedirectURI, "state": state.Reveal(),
	}
	if made.Scope != "" {
		own["scope"] = made.Scope
	}
	if session.Verifier != "" {
		own["code_challenge"], own["code_challenge_method"] = challenge(verifier), "S256"
	}
	for parameter := range maps.Keys(own) {
		query.Set(parameter, own[parameter])
	}
	to, err := url.Parse(made.AuthorizationURL)
	if err != nil { // setup.Resolve has parsed it
		return ""
	}
	if to.RawQuery != "" { // RFC 6749 section 3.1: it is kept
		to.RawQuery += "&"
	}
	to.RawQuery += query.Encode()
	return to.String()
}
