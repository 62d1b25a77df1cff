// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"errors"
	"net/http"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
)

// admit reports whether an address may try another link or state. It writes the answer where it may not.
func (a *API) admit(w http.ResponseWriter, r *http.Request) bool {
	if a.Attempts.Admit(a.Proxies.Address(r)) == nil {
		return true
	}
	w.Header().Set("Retry-After", "60")
	a.fail(w, r, signin.TooMany, pages.Failure{})
	return false
}

// fail tells a user why a sign-in does not go on, where there is nobody that the browser could be sent to.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error, page pages.Failure) {
	problem := signin.Unavailable
	if !errors.As(err, &problem) {
		problem = signin.Unavailable
	}
	if problem == signin.LinkDead || problem == signin.StateUnknown || problem == signin.OtherBrowser {
		_ = a.Attempts.Failed(a.Proxies.Address(r)) // the next one is refused
	}
	a.Metrics.refused(problem)
	event := audit.SignInRefused{Problem: string(problem)}
	if problem == signin.Unavailable {
		event.Reason = err.Error()
	}
	a.Audit.Write(a.origin(r), event)
	page.Problem = problem
	a.Pages.Fail(w, r, page)
}
