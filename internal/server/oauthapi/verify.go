// SPDX-License-Identifier: Apache-2.0

package oauthapi

import "net/http"

// Verify is the forward-auth endpoint: any method on /verify?scope=...&account=... It answers 200, 401 or 403 and nothing
// else. The query says what the guarded place needs; the bearer token and the account header are the caller's.
func (a *API) Verify(w http.ResponseWriter, r *http.Request) {
	a.Judge(a.CallOf(r, r.URL.RawQuery)).write(w)
}

// CallOf gives a call that is to be judged: the caller's part from a request, and the guard.
func (a *API) CallOf(r *http.Request, guard string) Call {
	return Call{
		Guard:         guard,
		Authorization: r.Header.Values("Authorization"),
		Accounts:      r.Header.Values(a.AccountHeader),
		Origin:        a.origin(r),
	}
}
