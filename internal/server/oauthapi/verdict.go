// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/respond"
)

// HeaderPrefix is that of the headers of a verdict that admits. A caller's own headers of this prefix must never reach what
// is guarded.
const HeaderPrefix = "X-Claviger-"

// Call is a call that a gateway asks about.
type Call struct {
	// Guard is the gateway's part, in the syntax of a query: what the place needs.
	Guard string
	// Authorization and Accounts are the caller's part: all values of the Authorization header and of the account header.
	Authorization, Accounts []string
	// Origin is where the call comes from, for the audit log.
	Origin audit.Origin
}

// Verdict is what there is to say of a call, whatever protocol carries it.
type Verdict struct {
	// Access is set where the call is admitted, Refusal where it is not.
	Access  issuer.Access
	Refusal respond.Refusal
}

// Admits says that the call may pass.
func (v Verdict) Admits() bool { return v.Refusal.Status == 0 }

// Headers of a verdict that admits. A gateway copies all four onto the request that it passes on. All four are always there,
// so that what a caller put into them itself is overwritten, with an empty value where there is nothing to say.
func (v Verdict) Headers() [4]struct{ Name, Value string } {
	return [4]struct{ Name, Value string }{
		{HeaderPrefix + "Client-Id", v.Access.ClientID},
		{HeaderPrefix + "Account", v.Access.AccountID},
		{HeaderPrefix + "Scope", v.Access.Scopes.String()},
		{HeaderPrefix + "Expires", v.Access.ExpiresAt.UTC().Format(time.RFC3339)},
	}
}

func (v Verdict) write(w http.ResponseWriter) {
	if !v.Admits() {
		v.Refusal.Write(w)
		return
	}
	respond.NoStore(w)
	var values [4]string // one allocation for all of them; their names are canonical
	for i, header := range v.Headers() {
		values[i] = header.Value
		w.Header()[header.Name] = values[i : i+1 : i+1]
	}
	w.WriteHeader(http.StatusOK)
}

// Judge gives the verdict on a call, counts it, and writes the audit log where it refuses.
func (a *API) Judge(call Call) Verdict {
	need, err := a.needOf(call)
	if err != nil {
		a.denied(call.Origin, issuer.Access{}, need, err)
		return Verdict{Refusal: respond.Refuse(err, nil)}
	}
	access, err := a.authorize(call, need)
	if err != nil {
		a.denied(call.Origin, access, need, err)
		return Verdict{Refusal: a.refusal(err, need)}
	}
	a.admitted(call.Origin, access)
	return Verdict{Access: access}
}

// refusal: a place that is closed tells nobody how to get in.
func (a *API) refusal(err error, need issuer.Need) respond.Refusal {
	switch {
	case need.Closed():
		return respond.Refuse(err, nil)
	case need.Resource != nil:
		return respond.RefuseAt(err, need.Scopes, a.IssuerURL.ResourceMetadata(need.Resource.Name))
	default:
		return respond.Refuse(err, need.Scopes)
	}
}

func (a *API) authorize(call Call, need issuer.Need) (issuer.Access, error) {
	bearer, err := oauth.ParseBearer(call.Authorization)
	if err != nil {
		return issuer.Access{}, err
	}
	return a.Issuer.Authorize(bearer, need)
}

func misguarded() error { return issuer.BadGuard("the query of the guard is malformed") }

// needOf reads what the guarded place needs from the guard, and which account the call concerns from the guard and the
// account header: where both name one, the token must be good for both. A guard names a resource, or scopes and perhaps an
// account, and not both: who reads it must see what is needed.
func (a *API) needOf(call Call) (issuer.Need, error) {
	guard, err := url.ParseQuery(call.Guard)
	if err != nil || !sensible(guard) {
		return issuer.Need{}, misguarded()
	}
	if guard.Has("resource") {
		if guard.Has("scope") || guard.Has("account") {
			return issuer.Need{}, misguarded()
		}
		return a.Issuer.ResourceNeed(guard.Get("resource"), named(call.Accounts)...)
	}
	// An account that is named but empty is a template that lost its variable: it must not admit everybody.
	lostVariable := guard.Has("account") && guard.Get("account") == ""
	scopes, err := oauth.ParseScopes(guard.Get("scope"))
	if err != nil || lostVariable {
		return issuer.Need{}, misguarded()
	}
	return issuer.Need{Scopes: scopes, Accounts: named(slices.Concat(guard["account"], call.Accounts))}, nil
}

// sensible reports whether a guard has no parameter twice, and none that it does not know: with a slip of the pen such as "acount"
// it would admit more than was meant.
func sensible(guard url.Values) bool {
	for name, values := range guard {
		if len(values) > 1 || name != "scope" && name != "account" && name != "resource" {
			return false
		}
	}
	return true
}

// named gives the accounts that are: an empty header names none.
func named(accounts []string) []string {
	var all []string
	for _, account := range accounts {
		if account != "" {
			all = append(all, account)
		}
	}
	return all
}
