// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Minter makes tokens, and says whether one is still good, for subjects that it is handed. The manager delivers live tokens with
// it, and they are the very ones that the token endpoint would give. All of its fields are required. It is safe for concurrent
// use where Random is.
type Minter struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): iss of every token, and aud where no resource is named.
	Issuer string
	Rules  credential.Rules
	Now    func() time.Time
	Random io.Reader
}

// Mint makes a token for a subject that the rules allow, with those of the scopes asked for that its client has; where none is
// asked for, with all. Its audience is what Audience gives, and secretID that of the client secret which the token is taken
// with. It fails with invalid_scope, invalid_target or server_error; the Grant that comes with an error has no token.
func (m Minter) Mint(ring *keyring.Ring, subject credential.Subject, asked oauth.Scopes, audience []string, secretID string) (Grant, error) {
	grant := Grant{ClientID: subject.Client.ID, Lifetime: m.Rules.TokenLifetime(subject), Audience: audience}
	var err error
	if grant.Scopes, err = grantable(asked, subject.Client); err != nil {
		return grant, err
	}
	if subject.Account != nil {
		grant.AccountID = subject.Account.ID
	}
	err = m.sign(ring, &grant, incarnation(subject.Client, subject.Account), secretID)
	return grant, err
}

// grantable gives what was asked for of what the client has, or all of it where nothing was asked for.
func grantable(asked oauth.Scopes, client *credential.Client) (oauth.Scopes, error) {
	scopes := client.Scopes
	if len(asked) > 0 {
		scopes = asked.Intersect(client.Scopes)
	}
	if len(scopes) == 0 {
		return nil, oauth.InvalidScope("the client has none of the scopes asked for")
	}
	return scopes, nil
}

// sign makes the token of a grant, and sets its ID.
func (m Minter) sign(ring *keyring.Ring, grant *Grant, incarnation, secretID string) error {
	id := make([]byte, 16)
	if _, err := io.ReadFull(m.Random, id); err != nil {
		return oauth.ServerError(fmt.Errorf("making a token ID: %w", err))
	}
	grant.TokenID = base64.RawURLEncoding.EncodeToString(id)
	issuedAt := m.Now().Truncate(time.Second)
	signed, err := token.Mint(m.Issuer, ring, token.Claims{
		ID:          grant.TokenID,
		ClientID:    grant.ClientID,
		Audience:    grant.Audience,
		Scope:       grant.Scopes.String(),
		Account:     grant.AccountID,
		Incarnation: incarnation,
		SecretID:    secretID,
		IssuedAt:    issuedAt,
		ExpiresAt:   issuedAt.Add(grant.Lifetime),
	})
	if err != nil {
		return oauth.ServerError(err)
	}
	if len(signed) > oauth.MaxBearerLength {
		return oauth.InvalidTarget("the token would be longer than %d bytes; ask for fewer resources or scopes", oauth.MaxBearerLength)
	}
	grant.AccessToken = signed
	return nil
}

// Check says whether a token is still good for a subject, and gives its claims. It checks all that Authorize does but the
// place, and that nobody has revoked the token by itself. It fails with invalid_token.
func (m Minter) Check(ring *keyring.Ring, raw string, subject credential.Subject) (token.Claims, error) {
	claims, err := m.verify(ring, raw)
	if err == nil && claims.ClientID != subject.Client.ID {
		err = errors.New("the token is another client's")
	}
	if err == nil {
		err = m.check(claims, subject, subject.Account)
	}
	if err != nil {
		return token.Claims{}, oauth.InvalidToken(err)
	}
	return claims, nil
}

// verify says whether a token is genuine and has not expired.
func (m Minter) verify(ring *keyring.Ring, raw string) (token.Claims, error) {
	return token.Verify(raw, ring, m.expect())
}

func (m Minter) expect() token.Expect {
	return token.Expect{Issuer: m.Issuer, Now: m.Now()}
}

// check says whether genuine claims still hold: their client, and the account that the token acts on, are the ones it was
// issued for and may still be used, and nothing has killed the client's tokens since.
func (m Minter) check(claims token.Claims, subject credential.Subject, account *credential.Account) error {
	client := subject.Client
	if err := m.Rules.Judge(subject); err != nil {
		return err
	}
	switch {
	case claims.Account != "" && !account.Active(): // the rules know nothing of a restriction
		return refuse(ReasonAccountGone, "account "+claims.Account+" of the restriction is gone or suspended")
	case !incarnationOf(client, account).is(claims.Incarnation):
		return refuse(ReasonOtherLife, "the client or its account is not the one the token was issued for")
	case claims.IssuedAt.Before(client.RevokeTokensBefore):
		return refuse(ReasonTokensRevoked, "the client's tokens of that time are revoked")
	case client.RevokeTokensWithSecret && claims.SecretID != "" && !client.StillHas(claims.SecretID, m.Now()):
		return refuse(ReasonSecretEnded, "the client secret or key that the token was taken with no longer works")
	}
	return nil
}

// incarnation names one life of a client, at its level, together with the account that its token acts on. It is part of the
// token and computed anew on every use, so a token dies with either object even where one of the same name follows, and
// when its client moves between the console and an account.
func incarnation(client *credential.Client, account *credential.Account) string {
	name := incarnationOf(client, account)
	return string(name[:])
}

// life is the name of an incarnation, off the heap: every call at /verify computes one.
type life [16]byte

func incarnationOf(client *credential.Client, account *credential.Account) life {
	buffer := [128]byte{}
	identity := append(buffer[:0], "account/"...)
	if client.ConsoleLevel() {
		identity = append(buffer[:0], "console/"...)
	}
	identity = append(append(identity, client.UID...), '/')
	if account != nil {
		identity = append(identity, account.UID...)
	}
	sum := sha256.Sum256(identity)
	var name life
	base64.RawURLEncoding.Encode(name[:], sum[:12])
	return name
}

func (l life) is(name string) bool { return string(l[:]) == name }
