// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/respond"
)

// timeLayout is that of times in answers: seven digits of a second, in UTC.
const timeLayout = "2006-01-02T15:04:05.0000000Z"

// signInTokenAnswer is the answer to a request for a sign-in token (wire contract section 3).
type signInTokenAnswer struct {
	Token        string
	ExpiresAtUtc string
}

// SignInToken makes a sign-in token: POST /v1.0/accounts/{accountID}/signintoken.
func (a *API) SignInToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		respond.MethodNotAllowed(w, http.MethodPost)
		return
	}
	who, ok := a.authorize(w, r)
	if !ok {
		return
	}
	given, ok := fields(w, r, "Username", "AccountConnectorId", "TargetOrigin", "CallbackMessage")
	if !ok {
		return
	}
	if err := a.Tokens.Spend(who.access.ClientID); err != nil {
		respond.TokenError(w, err)
		return
	}
	token, expires, err := a.SignIns.Issue(r.Context(), signin.Wish{
		AccountID: who.accountID, User: given["Username"],
		Connection: given["AccountConnectorId"], Target: given["TargetOrigin"], Message: given["CallbackMessage"],
	})
	if err != nil {
		problem(w, err)
		return
	}
	a.Metrics.tokens.Inc()
	a.Audit.Write(a.origin(r), audit.SignInTokenIssued{
		ClientID: who.access.ClientID, Account: who.accountID, User: given["Username"], Connection: given["AccountConnectorId"],
	})
	respond.Token(w, signInTokenAnswer{Token: token.Reveal(), ExpiresAtUtc: utc(expires)})
}

func utc(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeLayout)
}
