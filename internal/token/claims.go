// SPDX-License-Identifier: Apache-2.0

// Package token mints and verifies access tokens: JWTs of the profile of RFC 9068.
package token

import (
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// headerType is the typ header of an access token (RFC 9068 section 2.1). It keeps other JWTs of the same issuer from
// passing as access tokens.
const headerType = "at+jwt"

// Claims are what a token says. Times are whole seconds.
type Claims struct {
	// ID is the jti, unique to this token.
	ID string
	// ClientID is both sub and client_id: the client acts for itself.
	ClientID string
	// Audience is what the token is for: URLs of resources (RFC 8707), or the issuer itself where it is for none in particular.
	Audience []string
	// Scope is the granted scope parameter (RFC 6749 section 3.3).
	Scope string
	// Account is the one account the token may act on; empty for an unrestricted console-level token.
	Account string
	// Incarnation ties the token to one life of its credential and account: deleting and re-creating either under the
	// same name makes another.
	Incarnation string
	// SecretID names the client secret, or the client's key, that the token was taken with. Empty in tokens from before it was noted,
	// and in those that a ServiceAccount took.
	SecretID  string
	IssuedAt  time.Time
	ExpiresAt time.Time
	// KeyID is the kid of the key that the token is signed with. Verify sets it; Mint chooses it.
	KeyID string
}

// wireClaims is the JSON of Claims (RFC 9068 section 2.2), as the library reads and checks it.
type wireClaims struct {
	jwt.RegisteredClaims
	ClientID    string `json:"client_id"`
	Scope       string `json:"scope"`
	Account     string `json:"account,omitempty"`
	Incarnation string `json:"incarnation"`
	SecretID    string `json:"secret_id,omitempty"`
}

// IsFor reports whether the token is for an audience, byte for byte (RFC 7519 section 4.1.3).
func (c Claims) IsFor(audience string) bool { return slices.Contains(c.Audience, audience) }

func (w wireClaims) claims() Claims {
	return Claims{
		ID:          w.ID,
		ClientID:    w.ClientID,
		Audience:    w.Audience,
		Scope:       w.Scope,
		Account:     w.Account,
		Incarnation: w.Incarnation,
		SecretID:    w.SecretID,
		IssuedAt:    w.IssuedAt.Time,
		ExpiresAt:   w.ExpiresAt.Time,
	}
}
