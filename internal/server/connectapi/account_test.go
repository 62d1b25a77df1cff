// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
)

// judge admits every token, or fails.
type judge struct{ err error }

func (j judge) Authorize(context.Context, string, issuer.Need) (issuer.Access, error) {
	return issuer.Access{ClientID: "host"}, j.err
}

func TestAuthorize(t *testing.T) {
	for _, row := range []struct {
		name    string
		headers []string
		err     error
		status  int
	}{
		{"no header", nil, nil, 0},
		{"a header that agrees", []string{"acme"}, nil, 0},
		{"two headers that agree", []string{"acme", "acme"}, nil, 0},
		{"a header that names another account", []string{"other"}, nil, http.StatusForbidden},
		{"two headers, of which the second names another", []string{"acme", "other"}, nil, http.StatusForbidden},
		{"an empty header", []string{""}, nil, http.StatusForbidden},
		{"a token that is not good", nil, oauth.InvalidToken(errors.New("expired")), http.StatusUnauthorized},
		{"nobody can judge it", nil, oauth.ServerError(errors.New("no keys")), http.StatusServiceUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			api, answer := newAPI(t, secureURL), httptest.NewRecorder()
			api.Judge, api.AccountHeader, api.Audit = judge{row.err}, "X-Cyclr-Account", audit.NewLog(logr.Discard())
			request := httptest.NewRequest(http.MethodPost, secureURL, http.NoBody)
			request.SetPathValue("account", "acme")
			request.Header.Set("Authorization", "Bearer token")
			for _, header := range row.headers {
				request.Header.Add("X-Cyclr-Account", header)
			}
			who, ok := api.authorize(answer, request)
			if ok != (row.status == 0) || ok && (who.accountID != "acme" || who.access.ClientID != "host") || !ok && answer.Code != row.status {
				t.Errorf("got %+v, %v, %d", who, ok, answer.Code)
			}
		})
	}
}

// TestProblems are the answers to a backend whose call has failed. None has a cause in it.
func TestProblems(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
		says   string
	}{
		{"a mistake", signin.Mistake("Username is missing"), 400, "Username is missing"},
		{"no account", signin.ErrNoAccount, 404, "there is no such account"},
		{"no connection", fmt.Errorf("finding: %w", signin.ErrNoConnection), 404, "no such connector"},
		{"nothing to confirm", signin.ErrNotPending, 409, "no sign-in waits"},
		{"a damaged record", fmt.Errorf("Secret sEcReT: %w", connector.ErrDamaged), 409, "see its conditions"},
		{"a connection that is not configured well", fault.Terminalf(v1alpha1.ReasonInvalidProperty, "a URL needs property Subdomain"), 409, "needs property Subdomain"},
		{"a record that is not there yet", connector.ErrGone, 503, "try again"},
		{"anything else", errors.New("sEcReT"), 503, "try again"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			problem(answer, row.err)
			body := answer.Body.String()
			if answer.Code != row.status || !strings.Contains(body, row.says) || strings.Contains(body, "sEcReT") {
				t.Errorf("got %d %s", answer.Code, body)
			}
			if (answer.Header().Get("Retry-After") != "") != (row.status == 503) {
				t.Errorf("Retry-After is %q", answer.Header().Get("Retry-After"))
			}
		})
	}
}
