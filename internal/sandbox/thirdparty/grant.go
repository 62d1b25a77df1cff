// SPDX-License-Identifier: Apache-2.0

package thirdparty

import (
	"crypto/rand"
	"slices"
	"time"
)

// codeLifetime is that of an authorization code.
const codeLifetime = time.Minute

// code is an authorization code that waits for its client.
type code struct {
	user, redirectURI, challenge, scope string
	expiresAt                           time.Time
}

// grant is what a user has allowed, and the tokens of that.
type grant struct {
	user, scope string
	access      map[string]time.Time // until when each works
	refresh     string
	spent       []string
}

// byAccess finds the grant of an access token that works now.
func (a *Application) byAccess(token string) *grant {
	for _, held := range a.grants {
		if until, known := held.access[token]; known && a.now().Before(until) {
			return held
		}
	}
	return nil
}

// byRefresh finds the grant of a refresh token. One that was used before ends the grant: somebody has a copy.
func (a *Application) byRefresh(token string) *grant {
	for _, held := range a.grants {
		switch {
		case held.refresh == token:
			return held
		case slices.Contains(held.spent, token):
			a.end(held)
			return nil
		}
	}
	return nil
}

// end ends a grant and its tokens.
func (a *Application) end(ended *grant) {
	a.grants = slices.DeleteFunc(a.grants, func(held *grant) bool { return held == ended })
}

// renew gives a grant new tokens. An access token that is out works until it expires.
func (a *Application) renew(held *grant) (access, refresh string) {
	if held.refresh != "" {
		held.spent = append(held.spent, held.refresh)
	}
	for token, until := range held.access {
		if !a.now().Before(until) {
			delete(held.access, token)
		}
	}
	access = "paperclip_at_" + rand.Text()
	held.access[access] = a.now().Add(TokenLifetime)
	held.refresh = "paperclip_rt_" + rand.Text()
	return access, held.refresh
}
