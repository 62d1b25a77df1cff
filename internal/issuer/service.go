// SPDX-License-Identifier: Apache-2.0

// Package issuer is what the token service does, without HTTP: issue a token to a client, and say what a token may do.
// It makes no call to the API server: all that it reads is in memory.
package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"time"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
)

// Directory knows the clients and accounts that exist now. It answers from memory.
type Directory interface {
	// Synced reports whether all that exists is known. Before that, not to be found means nothing.
	Synced() bool
	// Subject finds a client by its ID, with all that its verdict depends on.
	Subject(clientID string) (credential.Subject, bool)
	// Account finds an account by its ID; nil where there is none.
	Account(accountID string) *credential.Account
}

// Keys gives the operator's key material as it is now. It answers from memory.
type Keys interface {
	// Pepper gives the key that client secrets are digested with.
	Pepper() (credential.Pepper, bool)
	// Ring gives the keys that tokens are signed with.
	Ring() (*keyring.Ring, bool)
}

// Service issues and judges tokens. All of its fields are required. It is safe for concurrent use.
type Service struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): iss of every token, and aud where no resource is named.
	Issuer    string
	Rules     credential.Rules
	Directory Directory
	Keys      Keys
	Now       func() time.Time
	Random    io.Reader
}

// incarnation names one life of a client, at its level, together with the account that its token acts on. It is part of the
// token and computed anew on every use, so a token dies with either object even where one of the same name follows, and
// when its client moves between the console and an account.
func incarnation(client *credential.Client, account *credential.Account) string {
	identity := "account/"
	if client.ConsoleLevel() {
		identity = "console/"
	}
	identity += string(client.UID) + "/"
	if account != nil {
		identity += string(account.UID)
	}
	sum := sha256.Sum256([]byte(identity))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
