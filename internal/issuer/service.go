// SPDX-License-Identifier: Apache-2.0

// Package issuer is what the token service does, without HTTP: issue a token to a client, say what a token may do, and revoke
// one. To issue and to judge it makes no call to the API server: all that it reads is in memory.
package issuer

import (
	"context"

	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
)

// Directory knows the clients, accounts and protected resources that exist now, and the tokens that were revoked. It answers from memory.
type Directory interface {
	// Synced reports whether all that exists is known. Before that, not to be found means nothing.
	Synced() bool
	// Subject finds a client by its ID, with all that its verdict depends on.
	Subject(clientID string) (credential.Subject, bool)
	// Namespace gives what decides about a namespace; one that is not known has no labels.
	Namespace(name string) credential.Namespace
	// Account finds an account by its ID; nil where there is none.
	Account(accountID string) *credential.Account
	// Resource finds a protected resource by its name, "<namespace>/<name>", with all that its verdict depends on.
	Resource(name string) (credential.ResourceSubject, bool)
	// ResourceAt finds the protected resource that has a canonical URL.
	ResourceAt(url string) (credential.ResourceSubject, bool)
	// Revoked reports whether the token of that ID was revoked by itself.
	Revoked(tokenID string) bool
}

// Keys gives the operator's key material as it is now. It answers from memory.
type Keys interface {
	// Pepper gives the key that client secrets are digested with.
	Pepper() (credential.Pepper, bool)
	// Ring gives the keys that tokens are signed with.
	Ring() (*keyring.Ring, bool)
}

// ClusterKeys gives what ServiceAccount tokens are verified with. It answers from memory.
type ClusterKeys interface {
	// Cluster gives the API server's issuer identifier and keys as they are known; false where they are not.
	Cluster() (*assertion.Cluster, bool)
	// Ask has them looked at anew soon, because a token names a key that is not known. It reports false where that was done just
	// now.
	Ask() bool
}

// Revoker revokes single tokens.
type Revoker interface {
	// Revoke makes every replica refuse a token until it would have expired. Once it has returned without an error the
	// Directory says so here, and within a second everywhere. It takes a few seconds at most.
	Revoke(ctx context.Context, claims token.Claims) error
}

// Service issues, judges and revokes tokens. All of its fields are required, but for the Revoker where nothing is revoked, and
// the ClusterKeys where no ServiceAccount tokens are accepted. It is safe for concurrent use.
type Service struct {
	Minter
	Directory   Directory
	Keys        Keys
	Revoker     Revoker
	ClusterKeys ClusterKeys
	// Replays remembers the assertions that clients have used.
	Replays     assertion.Replays
	Failures    FailureBudget
	Revocations RevocationBudget
	// Tokens remembers tokens that were verified. Nil: each is verified every time.
	Tokens *token.Cache
}
