// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
)

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
	asHTML = "text/html; charset=utf-8"
)

// TestRefusals: what is Unclear may have been done, so nothing is called refused that is not.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		name         string
		status       int
		contentType  string
		body         string
		want         connector.Outcome
		code         string
		fromProvider string // set where another header field is
	}{
		{"too many requests", 429, asHTML, "", connector.Busy, "", ""},
		{"too many requests, whatever else it says", 429, asJSON, `{"error":"invalid_grant"}`, connector.Busy, "", ""},
		{"temporarily unavailable", 400, asJSON, `{"error":"temporarily_unavailable"}`, connector.Busy, "temporarily_unavailable", ""},
		{"temporarily unavailable, and for how long", 503, asJSON, `{"error":"temporarily_unavailable"}`, connector.Busy, "temporarily_unavailable", "5"},
		{"temporarily unavailable, and not for how long", 503, asJSON, `{"error":"temporarily_unavailable"}`, connector.Unclear, "", ""},
		{"503 for a while", 503, asHTML, "<html>", connector.Unclear, "", "5"},
		{"503 with another error", 503, asJSON, `{"error":"invalid_grant"}`, connector.Unclear, "", "5"},
		{"503", 503, asHTML, "", connector.Unclear, "", ""},

		{"the grant, by the book", 400, asJSON, `{"error":"invalid_grant","error_description":"` + toldSecretly + `"}`, connector.GrantRefused, "invalid_grant", ""},
		{"the grant, with 401", 401, asJSON, `{"error":"invalid_grant"}`, connector.GrantRefused, "invalid_grant", ""},
		{"the grant, with 403", 403, asJSON, `{"error":"invalid_grant"}`, connector.GrantRefused, "invalid_grant", ""},
		{"the grant, with 200", 200, asJSON, `{"error":"invalid_grant"}`, connector.GrantRefused, "invalid_grant", ""},
		{"the grant, in a form", 400, asForm, "error=invalid_grant&error_description=gone+for+good", connector.GrantRefused, "invalid_grant", ""},
		{"the grant, with a content type that is wrong", 400, asHTML, `{"error":"invalid_grant"}` + "\n", connector.GrantRefused, "invalid_grant", ""},
		{"the grant, with a status of failure", 500, asJSON, `{"error":"invalid_grant"}`, connector.Unclear, "", ""},
		{"the grant, with a redirect", 302, asJSON, `{"error":"invalid_grant"}`, connector.Unclear, "", ""},
		{"the grant, in a page", 400, asHTML, `<a href="/?a&error=invalid_grant&b">`, connector.Unclear, "", ""},
		{"the grant, in JSON that goes on", 400, asJSON, `{"error":"invalid_grant"}{}`, connector.Unclear, "", ""},
		{"the grant, in JSON that is cut short", 400, asJSON, `{"error":"invalid_grant"`, connector.Unclear, "", ""},
		{"the grant, in a list", 400, asJSON, `[{"error":"invalid_grant"}]`, connector.Unclear, "", ""},
		{"the grant, in a form that says it twice", 400, asForm, "error=invalid_grant&error=invalid_client", connector.Unclear, "", ""},

		{"the client", 401, asJSON, `{"error":"invalid_client"}`, connector.ClientRefused, "invalid_client", ""},
		{"the client, with 400", 400, asJSON, `{"error":"invalid_client"}`, connector.ClientRefused, "invalid_client", ""},
		{"401 and no more", 401, asHTML, "<html>", connector.ClientRefused, "invalid_client", ""},
		{"401 in words of its own", 401, asJSON, `{"message":"` + toldSecretly + `"}`, connector.ClientRefused, "invalid_client", ""},
		{"401 with an error of its own", 401, asJSON, `{"error":"` + toldSecretly + `"}`, connector.Unclear, "", ""},
		{"401 with an error that is an object", 401, asJSON, `{"error":{"code":190}}`, connector.Unclear, "", ""},
		{"unauthorized_client", 400, asJSON, `{"error":"unauthorized_client"}`, connector.ClientRefused, "unauthorized_client", ""},
		{"invalid_scope", 400, asJSON, `{"error":"invalid_scope"}`, connector.ClientRefused, "invalid_scope", ""},
		{"invalid_request", 400, asJSON, `{"error":"invalid_request"}`, connector.ClientRefused, "invalid_request", ""},
		{"unsupported_grant_type", 400, asJSON, `{"error":"unsupported_grant_type"}`, connector.ClientRefused, "unsupported_grant_type", ""},
		{"invalid_target", 400, asJSON, `{"error":"invalid_target"}`, connector.ClientRefused, "invalid_target", ""},

		{"GitHub's bad_refresh_token", 200, asJSON, `{"error":"bad_refresh_token"}`, connector.GrantRefused, "invalid_grant", ""},
		{"the same in a form", 200, asForm, "error=bad_refresh_token&error_uri=https%3A%2F%2Fa.example", connector.GrantRefused, "invalid_grant", ""},
		{"GitHub's bad_verification_code", 200, asJSON, `{"error":"bad_verification_code"}`, connector.GrantRefused, "invalid_grant", ""},
		{"GitHub's incorrect_client_credentials", 200, asJSON, `{"error":"incorrect_client_credentials"}`, connector.ClientRefused, "invalid_client", ""},
		{"GitHub's redirect_uri_mismatch", 200, asJSON, `{"error":"redirect_uri_mismatch"}`, connector.ClientRefused, "invalid_request", ""},
		{"GitHub's unverified_user_email", 200, asJSON, `{"error":"unverified_user_email"}`, connector.Unclear, "", ""},
		{"Slack's invalid_refresh_token", 200, asJSON, `{"ok":false,"error":"invalid_refresh_token"}`, connector.GrantRefused, "invalid_grant", ""},
		{"Slack's token_expired", 200, asJSON, `{"ok":false,"error":"token_expired"}`, connector.GrantRefused, "invalid_grant", ""},
		{"Slack's invalid_code", 200, asJSON, `{"ok":false,"error":"invalid_code"}`, connector.GrantRefused, "invalid_grant", ""},
		{"Slack's invalid_client_id", 200, asJSON, `{"ok":false,"error":"invalid_client_id"}`, connector.ClientRefused, "invalid_client", ""},
		{"Slack's bad_client_secret", 200, asJSON, `{"ok":false,"error":"bad_client_secret"}`, connector.ClientRefused, "invalid_client", ""},
		{"Slack's bad_redirect_uri", 200, asJSON, `{"ok":false,"error":"bad_redirect_uri"}`, connector.ClientRefused, "invalid_request", ""},
		{"Slack's invalid_grant_type", 200, asJSON, `{"ok":false,"error":"invalid_grant_type"}`, connector.ClientRefused, "unsupported_grant_type", ""},
		{"Slack's internal_error", 200, asJSON, `{"ok":false,"error":"internal_error"}`, connector.Unclear, "", ""},
		{"Slack's words of somebody else", 400, asJSON, `{"error":"token_expired"}`, connector.Unclear, "", ""},
		{"Slack's words in a success", 200, asJSON, `{"ok":true,"error":"token_expired"}`, connector.Unclear, "", ""},

		{"server_error", 400, asJSON, `{"error":"server_error"}`, connector.Unclear, "", ""},
		{"an error that nobody knows", 400, asJSON, `{"error":"` + toldSecretly + `"}`, connector.Unclear, "", ""},
		{"an error in other letters", 400, asJSON, `{"error":"Invalid_Grant"}`, connector.Unclear, "", ""},
		{"an error under another name", 400, asJSON, `{"Error":"invalid_grant"}`, connector.Unclear, "", ""},
		{"an error that is empty", 400, asJSON, `{"error":""}`, connector.Unclear, "", ""},
		{"an error that is null", 400, asJSON, `{"error":null}`, connector.Unclear, "", ""},
		{"an error that is false", 400, asJSON, `{"error":false}`, connector.Unclear, "", ""},
		{"an error that is true", 200, asJSON, `{"error":true}`, connector.Unclear, "", ""},
		{"400 and no more", 400, asHTML, "", connector.Unclear, "", ""},
		{"403 and no more", 403, asHTML, "<html>", connector.Unclear, "", ""},
		{"404", 404, asHTML, "not found", connector.Unclear, "", ""},
		{"408", 408, asHTML, "", connector.Unclear, "", ""},
		{"500", 500, asHTML, toldSecretly, connector.Unclear, "", ""},
		{"502", 502, asHTML, "", connector.Unclear, "", ""},
		{"a redirect that a client would follow with the token", 307, asHTML, "", connector.Unclear, "", ""},
		{"a token with a redirect", 302, asJSON, `{"access_token":"` + given + `"}`, connector.Unclear, "", ""},
		{"a token with a status of failure", 500, asJSON, `{"access_token":"` + given + `"}`, connector.Unclear, "", ""},
		{"a token with a status of error", 400, asJSON, `{"access_token":"` + given + `"}`, connector.Unclear, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			provider := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere?"+toldSecretly)
				if row.fromProvider != "" {
					w.Header().Set("Retry-After", row.fromProvider)
				}
				says(row.status, row.contentType, row.body)(w, r)
			})
			answer := provider.client().Do(t.Context(), refresh(provider.URL))
			if answer.Outcome != row.want || answer.Code != row.code || plainOf(answer.Tokens) != (plain{}) || provider.asked.Load() != 1 {
				t.Errorf("got %+v", answer)
			}
			if want := map[string]time.Duration{"5": 5 * time.Second}[row.fromProvider]; answer.RetryAfter != want {
				t.Errorf("it asks for %v", answer.RetryAfter)
			}
			checkSilent(t, answer)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, row := range []struct {
		name, value string
		want        time.Duration
	}{
		{"seconds", "120", 2 * time.Minute},
		{"none", "", 0},
		{"zero", "0", 0},
		{"a negative number", "-5", 0},
		{"a day and more", "100000", 24 * time.Hour},
		{"a number without end", strings.Repeat("9", 400), 24 * time.Hour},
		{"a time", noon.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{"a time that has passed", noon.Add(-time.Minute).Format(http.TimeFormat), 0},
		{"a time in another year", noon.AddDate(1, 0, 0).Format(http.TimeFormat), 24 * time.Hour},
		{"nonsense", "soon", 0},
		{"no number", "NaN", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			provider := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", row.value)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			answer := provider.client().Do(t.Context(), refresh(provider.URL))
			if answer.Outcome != connector.Busy || answer.RetryAfter != row.want {
				t.Errorf("got %+v", answer)
			}
		})
	}
}
