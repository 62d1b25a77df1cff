// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// Record is all that is known of one grant. It is kept as one document, so that access and refresh token change together, and is
// changed by its methods, each of which gives another Record: it is written under the version of the one it was made from.
type Record struct {
	// Generation counts the tokens that were there: sign-ins, imports and refreshes.
	Generation int64

	AccessToken, RefreshToken oauth.Secret
	TokenType, Scope          string
	// IssuedAt is when the access token was given.
	IssuedAt time.Time
	// ExpiresAt is when it expires. Zero: nobody knows, so it is never taken for expired.
	ExpiresAt time.Time
	// RefreshExpiresAt is when the refresh token expires. Zero: nobody knows.
	RefreshExpiresAt time.Time
	// RefreshLife is the longest life of a refresh token that the provider has given since the grant was. Zero: nobody knows.
	RefreshLife time.Duration
	// AuthorizedAt is when the grant was given, which refreshes do not change. Zero where there is none, or nobody knows.
	AuthorizedAt time.Time
	// ClientFingerprint names the client that the grant was given to.
	ClientFingerprint string
	// AuthorizedBy is the user who signed in. Empty: nobody did.
	AuthorizedBy string
	// Imported names the content that was imported last from the Secret of the spec, and Pushed that of the last one by the API, so
	// that each is imported once. Empty: none was.
	Imported, Pushed string

	// Intent is there while a refresh token is being presented, or may have been by somebody who died.
	Intent *Intent
	// Reauthorize is there when the grant is dead.
	Reauthorize *Reauthorize
	// Misconfigured is there when the provider does not take the client.
	Misconfigured *Misconfigured
}

// Intent says that somebody is about to present the refresh token, has done so, or has died over it.
type Intent struct {
	// Attempt is unique to this one.
	Attempt string
	// Holder names the replica: the same one after a restart.
	Holder string
	// StartedAt is since when the refresh token may have been presented.
	StartedAt time.Time
	// RefreshTokenFingerprint names what is presented.
	RefreshTokenFingerprint string
	// Recoveries counts how often the token was presented again because the outcome before was not known.
	Recoveries int
}

// Reauthorize says that a user must sign in again.
type Reauthorize struct {
	Reason string
	At     time.Time
}

// Misconfigured says that the provider does not take the client, or its requests.
type Misconfigured struct {
	// Code is the OAuth error.
	Code string
	At   time.Time
	// Configuration names the client and the endpoints it was refused with. With others it is tried again.
	Configuration string
}

// Fingerprint names a secret without giving it away. It is no defence of a secret that can be guessed.
func Fingerprint(secret oauth.Secret) string {
	if secret.Reveal() == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Connected reports whether there is an access token.
func (r Record) Connected() bool { return r.AccessToken.Reveal() != "" }

// Live reports whether the access token has not expired, as far as anybody knows.
func (r Record) Live(now time.Time) bool {
	return r.Connected() && (r.ExpiresAt.IsZero() || now.Before(r.ExpiresAt))
}

// atRiskPart of the life of an access token is left when it is at risk: it should have been refreshed long before.
const atRiskPart = 8

// AtRisk reports whether the access token is about to expire, or has, or there is none.
func (r Record) AtRisk(now time.Time) bool {
	if !r.Connected() {
		return true
	}
	return !r.ExpiresAt.IsZero() && r.ExpiresAt.Sub(now) < r.ExpiresAt.Sub(r.IssuedAt)/atRiskPart
}

// begin gives the record of which an attempt says that it presents the refresh token.
func (r Record) begin(attempt, holder string, now time.Time) Record {
	r.Intent = &Intent{Attempt: attempt, Holder: holder, StartedAt: now, RefreshTokenFingerprint: Fingerprint(r.RefreshToken)}
	r.Misconfigured = nil
	return r
}

// takeOver gives the record of which an attempt says that it presents the refresh token again, in place of one that is orphaned. Since
// when the token may have been used stays.
func (r Record) takeOver(attempt, holder string) Record {
	before := *r.Intent
	r = r.begin(attempt, holder, before.StartedAt)
	r.Intent.Recoveries = before.Recoveries + 1
	return r
}

// abandon gives the record as it was before the intent: nothing was presented.
func (r Record) abandon() Record {
	r.Intent = nil
	return r
}

// refuse gives the record of a grant that is dead. Its access token is kept, and lives until it expires.
func (r Record) refuse(reason string, now time.Time) Record {
	r.Intent = nil
	r.Reauthorize = &Reauthorize{Reason: reason, At: now}
	return r
}

// misconfigure gives the record of a client that the provider does not take. The refresh token is kept: nothing is wrong with it.
func (r Record) misconfigure(code, configuration string, now time.Time) Record {
	r.Intent = nil
	r.Misconfigured = &Misconfigured{Code: code, At: now, Configuration: configuration}
	return r
}

// commit gives the record with the tokens that a refresh has brought. They beat any verdict that somebody may have come to meanwhile.
func (r Record) commit(tokens Tokens, behaviour Behaviour, client string, now time.Time) Record {
	r.Generation++
	r.Intent, r.Reauthorize, r.Misconfigured = nil, nil, nil
	r.AccessToken, r.TokenType = tokens.Access, tokens.Type
	if tokens.Scope != "" {
		r.Scope = tokens.Scope
	}
	r.IssuedAt, r.ExpiresAt = now, end(now, tokens.Lifetime, behaviour.AssumedLifetime)
	if tokens.Refresh.Reveal() != "" {
		r.RefreshToken = tokens.Refresh
		r.RefreshExpiresAt = time.Time{}
	}
	if tokens.RefreshLifetime > 0 {
		r.RefreshExpiresAt = now.Add(tokens.RefreshLifetime)
		r.RefreshLife = max(r.RefreshLife, tokens.RefreshLifetime)
	}
	r.ClientFingerprint = client
	return r
}

// SignIn is what a user's sign-in has brought.
type SignIn struct {
	Tokens Tokens
	// User signed in, for the client named so.
	User, Client string
	// At is when the tokens came.
	At time.Time
}

// Authorize gives the record of a grant that a user has given. Whatever was before is over.
func (r Record) Authorize(by SignIn, behaviour Behaviour) Record {
	granted := Record{Generation: r.Generation, Imported: r.Imported, Pushed: r.Pushed, AuthorizedAt: by.At, AuthorizedBy: by.User}
	return granted.commit(by.Tokens, behaviour, by.Client, by.At)
}

// Import gives the record with tokens that somebody else has obtained. client is the one that is configured: nobody says which it was.
// What names the content that they came in is for the caller to note.
func (r Record) Import(value AuthValue, behaviour Behaviour, client string, now time.Time) Record {
	imported := Record{
		Generation: r.Generation + 1, Imported: r.Imported, Pushed: r.Pushed, ClientFingerprint: client,
		AccessToken: value.AccessToken, RefreshToken: value.RefreshToken, TokenType: "Bearer",
		IssuedAt: now, ExpiresAt: value.Expires, RefreshExpiresAt: value.RefreshExpires, AuthorizedAt: now,
	}
	if value.RefreshExpires.After(now) {
		imported.RefreshLife = value.RefreshExpires.Sub(now)
	}
	if imported.ExpiresAt.IsZero() && imported.Connected() {
		imported.ExpiresAt = end(now, 0, behaviour.AssumedLifetime)
	}
	return imported
}

// end gives when something ends that begins now: after what the provider says, or else what is assumed, or else nobody knows.
func end(now time.Time, said, assumed time.Duration) time.Time {
	switch {
	case said > 0:
		return now.Add(said)
	case assumed > 0:
		return now.Add(assumed)
	default:
		return time.Time{}
	}
}
