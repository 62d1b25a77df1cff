// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/respond"
	"github.com/claviger/claviger/internal/strictjson"
)

// Codes of errors that no RFC has.
const (
	codeNotFound = "not_found"
	codeConflict = "conflict"
)

// caller is a call of the host's backend that was admitted.
type caller struct {
	accountID string
	access    issuer.Access
}

// authorize admits a call that concerns the account in its path: with a console-level token or one that is restricted to that account
// (wire contract section 2). It writes the answer where it does not.
func (a *API) authorize(w http.ResponseWriter, r *http.Request) (caller, bool) {
	who := caller{accountID: r.PathValue("account")}
	need := issuer.Need{
		Scopes:   oauth.Scopes{string(v1alpha1.ScopeAPI)},
		Accounts: append([]string{who.accountID}, r.Header.Values(a.AccountHeader)...),
	}
	token, err := oauth.ParseBearer(r.Header.Values("Authorization"))
	if err == nil {
		who.access, err = a.Judge.Authorize(r.Context(), token, need)
	}
	switch {
	case err == nil && slices.ContainsFunc(need.Accounts, func(named string) bool { return named != who.accountID }):
		respond.Error(w, http.StatusForbidden, oauth.CodeInsufficientScope, "the header names another account than the path")
		return who, false
	case err == nil:
		return who, true
	}
	a.Audit.Write(a.origin(r), oauthapi.Denied(who.access, need, err))
	if errors.Is(err, &oauth.Error{Code: oauth.CodeServerError}) {
		unavailable(w)
		return who, false
	}
	respond.Refuse(err, need.Scopes).Write(w)
	return who, false
}

// maxJSON bounds the body of the host's backend, in bytes. An AuthValue is JSON within JSON, which may double it.
const maxJSON = 4 * connector.MaxAuthValue

// fields reads a JSON object of strings with these names. It writes the answer where there is none.
func fields(w http.ResponseWriter, r *http.Request, known ...string) (map[string]string, bool) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, "Content-Type must be application/json")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
	if err != nil {
		respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, "the body is too large, or could not be read")
		return nil, false
	}
	given, err := strictjson.Strings(body)
	if err != nil {
		respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, "the body is not used: "+err.Error())
		return nil, false
	}
	for name := range given {
		if !isOneOf(name, known) {
			respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, "the body has the key "+strictjson.Named(name)+", which there is not")
			return nil, false
		}
	}
	return given, true
}

func isOneOf(name string, names []string) bool {
	for _, one := range names {
		if name == one {
			return true
		}
	}
	return false
}

// problem answers a call of the host's backend that failed.
func problem(w http.ResponseWriter, err error) {
	var mistake signin.Mistake
	found, isFault := fault.As(err)
	switch {
	case errors.As(err, &mistake):
		respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, string(mistake))
	case errors.Is(err, signin.ErrNoAccount):
		respond.Error(w, http.StatusNotFound, codeNotFound, "there is no such account")
	case errors.Is(err, signin.ErrNoConnection):
		respond.Error(w, http.StatusNotFound, codeNotFound, "the account has no such connector")
	case errors.Is(err, signin.ErrNotPending):
		respond.Error(w, http.StatusConflict, codeConflict, "no sign-in waits for that code: it is another one's, expired, or was confirmed")
	case errors.Is(err, connector.ErrDamaged):
		respond.Error(w, http.StatusConflict, codeConflict, "what is kept of the connection is damaged; see its conditions")
	case isFault:
		respond.Error(w, http.StatusConflict, codeConflict, found.Message)
	default:
		unavailable(w)
	}
}

// unavailable answers where the API server is away, or the manager has not seen a new connection yet.
func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	respond.Error(w, http.StatusServiceUnavailable, oauth.CodeTemporarilyUnavailable, "this cannot be done right now; try again")
}
