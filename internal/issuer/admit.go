// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Admit says whether a genuine token, of which somebody else has said that it is alive and what it may still do, is good for a place.
// It is for those who know no clients, and fails as Authorize does. A client's level shows in the scopes: the console's have API and
// no other, and no account's has it. Which resources the client names it cannot know.
func Admit(issuer string, claims token.Claims, alive oauth.Scopes, need Need) (Access, error) {
	client := &credential.Client{ID: claims.ClientID, AccountID: claims.Account, Scopes: alive}
	if alive.Has(string(v1alpha1.ScopeAPI)) {
		client.AccountID = ""
	}
	access := Access{ClientID: claims.ClientID, AccountID: claims.Account, Scopes: alive, ExpiresAt: claims.ExpiresAt}
	return access, Minter{Issuer: issuer}.admit(access, standing{claims: claims, client: client, scopes: alive}, need)
}
