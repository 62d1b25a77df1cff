// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// Times of a sign-in.
const (
	// LinkLifetime is that of a sign-in token.
	LinkLifetime = 5 * time.Minute
	// SessionLifetime is how long a user may take at the provider.
	SessionLifetime = 15 * time.Minute
)

// secretSize is that of a sign-in token, a state, a code verifier and a confirmation code, in bytes.
const secretSize = 32

// Link is what a sign-in token stands for.
type Link struct {
	AccountID string `json:"accountID"`
	// User is who signs in, as the host's backend calls them.
	User string `json:"user"`
	// Connection, Target and Message fix the flow where they are set: the AccountConnectorID, targetOrigin and callbackMessage.
	Connection string    `json:"connection,omitempty"`
	Target     string    `json:"target,omitempty"`
	Message    string    `json:"message,omitempty"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// Session is a sign-in that has begun: what must be known when the browser comes back.
type Session struct {
	// Connection is the AccountConnectorID, and UID that of the object, which another of that name does not have.
	Connection string `json:"connection"`
	UID        string `json:"uid"`
	// Connector is the library entry whose callback it is.
	Connector string `json:"connector"`
	AccountID string `json:"accountID"`
	User      string `json:"user"`
	Target    string `json:"target"`
	Message   string `json:"message,omitempty"`
	// Client is the client ID of the authorization request: the code is given to nobody else.
	Client      string `json:"client"`
	RedirectURI string `json:"redirectURI"`
	// Browser is the hash of what the browser was given to keep.
	Browser string `json:"browser"`
	// Verifier is the code verifier (RFC 7636), or empty.
	Verifier  string    `json:"verifier,omitempty"`
	ExpiresAt time.Time `json:"expiresAt"`
	// Claimed says that an answer has come: no other one is taken.
	Claimed bool `json:"claimed,omitempty"`
	// Outcome is what came of it. Nil while nothing did.
	Outcome *Outcome `json:"outcome,omitempty"`
}

// Outcome is what a sign-in has come to.
type Outcome struct {
	// Problem is empty where there are tokens.
	Problem Problem `json:"problem,omitempty"`
	// Code is the one-time code that confirms them. Empty: no confirmation is asked for.
	Code string `json:"code,omitempty"`
}

// Opening is what a browser brings from a link.
type Opening struct {
	Token oauth.Secret
	// Connection, Target and Message are id, targetOrigin and callbackMessage. An empty one was left out.
	Connection, Target, Message string
}

// Browser is what a browser keeps of us, so that an answer counts only where the question was asked.
type Browser struct{ Key oauth.Secret }

// name is what a token or a state is kept under: nobody who reads it can use it.
func name(secret oauth.Secret) string {
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return hex.EncodeToString(sum[:])
}

// wellNamed is what those names look like.
var wellNamed = regexp.MustCompile(`^[0-9a-f]{64}$`)

// wellFormed is what our own secrets look like, so that nothing else is looked up.
var wellFormed = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func isOurs(secret oauth.Secret) bool { return wellFormed.MatchString(secret.Reveal()) }

// newSecret makes one.
func (s *Service) newSecret() (oauth.Secret, error) {
	var random [secretSize]byte
	if _, err := s.Random.Read(random[:]); err != nil {
		return oauth.Secret{}, errRandom
	}
	return oauth.NewSecret(base64.RawURLEncoding.EncodeToString(random[:])), nil
}

// NewBrowser gives a browser that is not known yet what it keeps.
func (s *Service) NewBrowser() (Browser, error) {
	key, err := s.newSecret()
	return Browser{Key: key}, err
}

// challenge gives the code challenge of a verifier by S256 (RFC 7636 section 4.2).
func challenge(verifier oauth.Secret) string {
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
