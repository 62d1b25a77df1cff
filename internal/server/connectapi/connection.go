// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/respond"
)

// connectionAnswer is the state of a connection. It is for polling: State is what the record says, and Ready, Reason and Message what
// the manager says, which comes a moment later.
type connectionAnswer struct {
	ID                  string `json:"Id"`
	AccountID           string `json:"AccountId"`
	ConnectorID         string `json:"ConnectorId"`
	State               string
	Ready               bool
	Reason              string `json:",omitempty"`
	Message             string `json:",omitempty"`
	AuthorizedBy        string `json:",omitempty"`
	AuthorizedAtUtc     string `json:",omitempty"`
	ExpiresAtUtc        string `json:",omitempty"`
	RefreshExpiresAtUtc string `json:",omitempty"`
	Scope               string `json:",omitempty"`
}

// States of a connection.
const (
	stateConnected    = "Connected"
	stateSignIn       = v1alpha1.ReasonSignInRequired
	stateConfirmation = v1alpha1.ReasonConfirmationRequired
	stateReauthorize  = v1alpha1.ReasonReauthorizationRequired
	stateNoToken      = v1alpha1.ReasonTokenNotIssued
)

// Connection gives the state of a connection (GET), or takes its tokens (PUT): /v1.0/accounts/{accountID}/connectors/{id}.
func (a *API) Connection(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		a.connection(w, r)
	case http.MethodPut:
		a.importValue(w, r)
	default:
		respond.MethodNotAllowed(w, "GET, HEAD, PUT")
	}
}

func (a *API) connection(w http.ResponseWriter, r *http.Request) {
	who, ok := a.authorize(w, r)
	if !ok {
		return
	}
	state, err := a.SignIns.State(r.Context(), who.accountID, r.PathValue("id"))
	if err != nil {
		problem(w, err)
		return
	}
	connection, record := state.Place.Connection, state.Kept.Record
	answer := connectionAnswer{
		ID: idOf(connection), AccountID: who.accountID, ConnectorID: connection.Spec.ConnectorRef.Name, State: stateOf(state),
		AuthorizedBy: record.AuthorizedBy, AuthorizedAtUtc: utc(record.AuthorizedAt), Scope: record.Scope,
		ExpiresAtUtc: utc(record.ExpiresAt), RefreshExpiresAtUtc: utc(record.RefreshExpiresAt),
	}
	if ready := meta.FindStatusCondition(connection.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		answer.Ready, answer.Reason, answer.Message = ready.Status == "True", ready.Reason, ready.Message
	}
	respond.JSON(w, http.StatusOK, answer)
}

func stateOf(state signin.State) string {
	record := state.Kept.Record
	switch {
	case state.Kept.Pending != nil:
		return stateConfirmation
	case record.Reauthorize != nil:
		return stateReauthorize
	case record.Connected() || record.RefreshToken.Reveal() != "":
		return stateConnected
	case state.Place.Connector != nil && state.Place.Connector.Spec.Grant == v1alpha1.GrantClientCredentials:
		return stateNoToken
	default:
		return stateSignIn
	}
}

// importValue takes tokens that the host has obtained (wire contract section 5).
func (a *API) importValue(w http.ResponseWriter, r *http.Request) {
	who, ok := a.authorize(w, r)
	if !ok {
		return
	}
	given, ok := fields(w, r, "AuthValue")
	if !ok {
		return
	}
	value, err := connector.ParseAuthValue([]byte(given["AuthValue"]))
	if err != nil {
		respond.Error(w, http.StatusBadRequest, oauth.CodeInvalidRequest, err.Error())
		return
	}
	id := r.PathValue("id")
	if err := a.SignIns.Import(r.Context(), who.accountID, id, value); err != nil {
		problem(w, err)
		return
	}
	a.Audit.Write(a.origin(r), audit.TokensImported{ClientID: who.access.ClientID, Account: who.accountID, Connection: id})
	noContent(w)
}

// Confirm makes the tokens of a sign-in the grant: POST /v1.0/accounts/{accountID}/connectors/{id}/confirm with {"Code":"..."}, the
// one-time code that the host's page was given.
func (a *API) Confirm(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		respond.MethodNotAllowed(w, http.MethodPost)
		return
	}
	who, ok := a.authorize(w, r)
	if !ok {
		return
	}
	given, ok := fields(w, r, "Code")
	if !ok {
		return
	}
	id := r.PathValue("id")
	if err := a.SignIns.Confirm(r.Context(), who.accountID, id, oauth.NewSecret(given["Code"])); err != nil {
		problem(w, err)
		return
	}
	a.Audit.Write(a.origin(r), audit.SignInConfirmed{ClientID: who.access.ClientID, Account: who.accountID, Connection: id})
	noContent(w)
}

func noContent(w http.ResponseWriter) {
	respond.NoStore(w)
	w.WriteHeader(http.StatusNoContent)
}
