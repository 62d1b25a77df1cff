// SPDX-License-Identifier: Apache-2.0

package issuer

import "github.com/claviger/claviger/internal/credential"

// Admit says whether a token that is alive is good for a place, for those who know no more of its client than its level. It
// fails as Authorize does.
func Admit(access Access, consoleLevel bool, need Need) error {
	client := &credential.Client{ID: access.ClientID, AccountID: access.AccountID, Scopes: access.Scopes}
	if consoleLevel {
		client.AccountID = ""
	}
	return admit(access, client, need)
}
