// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// ConfirmWithin is how long the host's backend has to confirm a sign-in.
const ConfirmWithin = 10 * time.Minute

// Pending is a sign-in whose tokens are not used until the host's backend confirms it.
type Pending struct {
	SignIn
	// CodeHash is that of the one-time code.
	CodeHash string
}

// HashCode gives the hash that a one-time code is known by. The code has enough randomness not to be guessed.
func HashCode(code oauth.Secret) string {
	sum := sha256.Sum256([]byte(code.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Expired reports whether the time to confirm is over.
func (p Pending) Expired(now time.Time) bool { return !now.Before(p.At.Add(ConfirmWithin)) }

// Confirms reports whether a code is the one that the host's page was given, in the same time whatever it is.
func (p Pending) Confirms(code oauth.Secret) bool {
	return subtle.ConstantTimeCompare([]byte(HashCode(code)), []byte(p.CodeHash)) == 1
}

// pendingDocument is how a Pending is kept.
type pendingDocument struct {
	AccessToken     string        `json:"accessToken"`
	RefreshToken    string        `json:"refreshToken,omitempty"`
	TokenType       string        `json:"tokenType,omitempty"`
	Scope           string        `json:"scope,omitempty"`
	Lifetime        time.Duration `json:"lifetime,omitempty"`
	RefreshLifetime time.Duration `json:"refreshLifetime,omitempty"`
	User            string        `json:"user,omitempty"`
	Client          string        `json:"client"`
	At              time.Time     `json:"at"`
	CodeHash        string        `json:"codeHash"`
}

// Encode gives the document.
func (p Pending) Encode() ([]byte, error) {
	text, err := json.Marshal(pendingDocument{
		AccessToken: p.Tokens.Access.Reveal(), RefreshToken: p.Tokens.Refresh.Reveal(), TokenType: p.Tokens.Type, Scope: p.Tokens.Scope,
		Lifetime: p.Tokens.Lifetime, RefreshLifetime: p.Tokens.RefreshLifetime,
		User: p.User, Client: p.Client, At: p.At.UTC(), CodeHash: p.CodeHash,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding a pending sign-in: %w", err)
	}
	return text, nil
}

// DecodePending reads a document. Nothing at all is nil. Its error is ErrDamaged.
func DecodePending(text []byte) (*Pending, error) {
	if len(text) == 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	var d pendingDocument
	if json.Unmarshal(text, &d) != nil || d.CodeHash == "" {
		return nil, ErrDamaged
	}
	return &Pending{
		SignIn: SignIn{
			Tokens: Tokens{
				Access: secretOf(d.AccessToken), Refresh: secretOf(d.RefreshToken), Type: d.TokenType, Scope: d.Scope,
				Lifetime: d.Lifetime, RefreshLifetime: d.RefreshLifetime,
			},
			User: d.User, Client: d.Client, At: d.At,
		},
		CodeHash: d.CodeHash,
	}, nil
}
