// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
	"github.com/claviger/claviger/internal/server/respond"
)

// Callback is where a provider sends the browser back to: GET /connectorauth/callback/{connector} (RFC 6749 section 4.1.2). It sends the
// browser on, so that neither code nor state stays in its history.
func (a *API) Callback(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // not HEAD: it would use the answer up
		respond.MethodNotAllowed(w, http.MethodGet)
		return
	}
	if !a.admit(w, r) {
		return
	}
	given, ok := parameters(r.URL.Query(), "state", "code", "error", "iss")
	if !ok {
		a.fail(w, r, signin.StateUnknown, pages.Failure{})
		return
	}
	answer := signin.Answer{
		State: oauth.NewSecret(given["state"]), Code: oauth.NewSecret(given["code"]), Error: given["error"], Issuer: given["iss"],
	}
	completion, err := a.SignIns.Finish(r.Context(), r.PathValue("connector"), answer, a.knownBrowser(r))
	if err != nil {
		a.fail(w, r, err, pages.Failure{Application: applicationOf(completion.Place)})
		return
	}
	a.ended(r, completion)
	if completion.Target.Posts() {
		seeOther(w, a.URL.Path()+PathCompleted+"?"+url.Values{parameterSession: {completion.Session}}.Encode())
		return
	}
	seeOther(w, completion.Target.With(toldOf(completion.Outcome)))
}

func (a *API) ended(r *http.Request, completion signin.Completion) {
	a.Metrics.ended(completion.Outcome.Problem)
	event := audit.SignInEnded{User: completion.User, Connector: r.PathValue("connector"), Problem: string(completion.Outcome.Problem)}
	if connection := completion.Place.Connection; connection != nil {
		event.Account, event.Connection = connection.Spec.AccountRef.Name, idOf(connection)
	}
	a.Audit.Write(a.origin(r), event)
}

// parameterSession names a sign-in to the page that completes it.
const parameterSession = "session"

// Completed is the page that tells the window which opened ours: GET /connectorauth/completed. It can be reloaded for as long as the
// sign-in is remembered, by the browser that it was made in.
func (a *API) Completed(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		respond.MethodNotAllowed(w, "GET, HEAD")
		return
	}
	if !a.admit(w, r) {
		return
	}
	given, ok := parameters(r.URL.Query(), parameterSession)
	if !ok {
		a.fail(w, r, signin.StateUnknown, pages.Failure{})
		return
	}
	completion, err := a.SignIns.Completed(r.Context(), given[parameterSession], a.knownBrowser(r))
	if err != nil {
		a.fail(w, r, err, pages.Failure{Application: applicationOf(completion.Place)})
		return
	}
	var frames []string
	if completion.Place.Connection != nil {
		frames = signin.AllowedOrigins(completion.Place)
	}
	a.Pages.Complete(w, r, pages.Completion{
		Application: applicationOf(completion.Place), Target: completion.Target.Origin(), Message: messageOf(completion),
		Problem: completion.Outcome.Problem, Frames: frames,
	})
}

// Names of what the host's page is told, beside its own message.
const (
	toldMessage     = "callbackMessage"
	toldError       = "error"
	toldDescription = "error_description"
	toldCode        = "code"
)

// toldOf gives what the host's page is told of an outcome. Nothing: the account is connected.
func toldOf(outcome signin.Outcome) url.Values {
	switch {
	case outcome.Problem != "":
		return url.Values{toldError: {string(outcome.Problem)}, toldDescription: {descriptions[outcome.Problem]}}
	case outcome.Code != "":
		return url.Values{toldCode: {outcome.Code}}
	default:
		return nil
	}
}

// messageOf gives what is posted to the window that opened ours: the message itself where all is well, and else an object that has it.
func messageOf(completion signin.Completion) json.RawMessage {
	told := toldOf(completion.Outcome)
	var message any = completion.Target.Message
	if len(told) > 0 {
		object := map[string]string{toldMessage: completion.Target.Message}
		for name := range told {
			object[name] = told.Get(name)
		}
		message = object
	}
	text, err := json.Marshal(message)
	if err != nil { // strings
		return nil
	}
	return text
}

// descriptions are what the host's developers are told of a problem.
var descriptions = map[signin.Problem]string{
	signin.AccessDenied:   "the user or the application refused",
	signin.NotReady:       "the connection cannot be used as it is configured, or is suspended; see its conditions",
	signin.ProviderError:  "the application answered with an error",
	signin.ExchangeFailed: "the application gave no tokens for the code",
	signin.Changed:        "the connection was deleted or changed while the user signed in",
	signin.Unavailable:    "the tokens could not be kept; start again",
}
