// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
)

// plain is what Tokens are, for a comparison.
type plain struct {
	access, refresh, kind, scope string
	lifetime, refreshLifetime    time.Duration
}

func plainOf(t connector.Tokens) plain {
	return plain{t.Access.Reveal(), t.Refresh.Reveal(), t.Type, t.Scope, t.Lifetime, t.RefreshLifetime}
}

func TestTokens(t *testing.T) {
	const most = 87600 * time.Hour
	for _, row := range []struct {
		name, contentType, body, path string
		want                          plain // none: the outcome is Unclear
	}{
		{
			"all of RFC 6749 section 5.1", asJSON,
			`{"access_token":"` + given + `","refresh_token":"` + successor + `","token_type":"bearer","expires_in":3600,"scope":"a b"}`, "",
			plain{given, successor, "bearer", "a b", time.Hour, 0},
		},
		{"a token alone", asJSON, `{"access_token":"a"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"JSON that calls itself text", "text/plain", ` {"access_token":"a"} ` + "\n", "", plain{"a", "", "Bearer", "", 0, 0}},
		{"JSON that calls itself HTML", asHTML, `{"access_token":"a"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"JSON that calls itself a form", asForm, `{"access_token":"a"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"JSON with a byte order mark", asJSON, "\xef\xbb\xbf" + `{"access_token":"a"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{
			"a form", asForm, "access_token=a%2Fb&refresh_token=r&expires_in=28800&refresh_token_expires_in=15811200&scope=repo%2Cgist&token_type=bearer", "",
			plain{"a/b", "r", "bearer", "repo,gist", 8 * time.Hour, 15811200 * time.Second},
		},
		{"a form that calls itself text", "text/plain", "access_token=a&scope=repo,gist\n", "", plain{"a", "", "Bearer", "repo,gist", 0, 0}},
		{"a form that calls itself HTML", asHTML, "access_token=a", "", plain{"a", "", "Bearer", "", 0, 0}},
		{
			"tokens of a user inside those of a bot", asJSON,
			`{"ok":true,"access_token":"bot","refresh_token":"bot","authed_user":{"access_token":"a","refresh_token":"r","token_type":"user","expires_in":43200}}`, "authed_user",
			plain{"a", "r", "user", "", 12 * time.Hour, 0},
		},
		{"tokens deep inside", asJSON, `{"x":{"y":{"access_token":"a"}}}`, "x.y", plain{"a", "", "Bearer", "", 0, 0}},
		{"a path to nowhere", asJSON, `{"access_token":"a"}`, "authed_user", plain{}},
		{"a path through what is no object", asJSON, `{"x":"y","access_token":"a"}`, "x.y", plain{}},
		{"a path in a form", asForm, "access_token=a", "x", plain{}},

		{"a lifetime that is a string", asJSON, `{"access_token":"a","expires_in":"3600"}`, "", plain{"a", "", "Bearer", "", time.Hour, 0}},
		{"a lifetime that is a fraction", asJSON, `{"access_token":"a","expires_in":3599.5}`, "", plain{"a", "", "Bearer", "", 3599500 * time.Millisecond, 0}},
		{"a lifetime of zero", asJSON, `{"access_token":"a","expires_in":0}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a lifetime that is negative", asJSON, `{"access_token":"a","expires_in":-1}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a lifetime that is huge", asJSON, `{"access_token":"a","expires_in":9223372036854775807}`, "", plain{"a", "", "Bearer", "", most, 0}},
		{"a lifetime beyond numbers", asJSON, `{"access_token":"a","expires_in":1e999}`, "", plain{"a", "", "Bearer", "", most, 0}},
		{"a lifetime that is hugely negative", asJSON, `{"access_token":"a","expires_in":-1e999}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a lifetime that is nonsense", asJSON, `{"access_token":"a","expires_in":"soon"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a lifetime that is no number", asJSON, `{"access_token":"a","expires_in":"NaN"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a lifetime that is null", asJSON, `{"access_token":"a","expires_in":null}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a lifetime that is an object", asJSON, `{"access_token":"a","expires_in":{}}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"Keycloak's lifetime of a refresh token", asJSON, `{"access_token":"a","refresh_expires_in":1800}`, "", plain{"a", "", "Bearer", "", 0, 30 * time.Minute}},
		{"Keycloak's, which does not expire", asJSON, `{"access_token":"a","refresh_expires_in":0}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"Intuit's lifetime of a refresh token", asJSON, `{"access_token":"a","x_refresh_token_expires_in":60}`, "", plain{"a", "", "Bearer", "", 0, time.Minute}},

		{"a type that is null", asJSON, `{"access_token":"a","token_type":null}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a type that is too long", asJSON, `{"access_token":"a","token_type":"` + strings.Repeat("x", 65) + `"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a type of two lines", asJSON, `{"access_token":"a","token_type":"x\r\ny"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"scopes in an array", asJSON, `{"access_token":"a","scope":["b","c"]}`, "", plain{"a", "", "Bearer", "b c", 0, 0}},
		{"more scopes than the status has room for", asJSON, `{"access_token":"a","scope":"` + strings.Repeat("a", 8705) + `"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"as many scopes as it has", asJSON, `{"access_token":"a","scope":"` + strings.Repeat("a", 8704) + `"}`, "", plain{"a", "", "Bearer", strings.Repeat("a", 8704), 0, 0}},
		{"scopes that are none", asJSON, `{"access_token":"a","scope":7}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a refresh token that is null", asJSON, `{"access_token":"a","refresh_token":null}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a refresh token that is empty", asJSON, `{"access_token":"a","refresh_token":""}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{"a token and an error, of which the token is worth more", asJSON, `{"access_token":"a","error":"invalid_grant"}`, "", plain{"a", "", "Bearer", "", 0, 0}},
		{
			"tokens as long as they may be", asJSON,
			`{"access_token":"` + strings.Repeat("a", 16<<10) + `","refresh_token":"` + strings.Repeat("r", 16<<10) + `"}`, "",
			plain{strings.Repeat("a", 16<<10), strings.Repeat("r", 16<<10), "Bearer", "", 0, 0},
		},

		{"a token that is too long", asJSON, `{"access_token":"` + strings.Repeat("a", 16<<10+1) + `"}`, "", plain{}},
		{"a refresh token that is too long", asJSON, `{"access_token":"a","refresh_token":"` + strings.Repeat("r", 16<<10+1) + `"}`, "", plain{}},
		{"a token that is a number", asJSON, `{"access_token":7}`, "", plain{}},
		{"a refresh token that is an object", asJSON, `{"access_token":"a","refresh_token":{}}`, "", plain{}},
		{"a token of two lines", asJSON, `{"access_token":"a\r\nX-Evil: 1"}`, "", plain{}},
		{"a token in other letters", asJSON, `{"access_token":"ä"}`, "", plain{}},
		{"a token that is empty", asJSON, `{"access_token":""}`, "", plain{}},
		{"a token under another name", asJSON, `{"Access_Token":"a"}`, "", plain{}},
		{"a refresh token alone", asJSON, `{"refresh_token":"` + successor + `"}`, "", plain{}},
		{"no token", asJSON, `{}`, "", plain{}},
		{"nothing", asJSON, "", "", plain{}},
		{"null", asJSON, "null", "", plain{}},
		{"a list", asJSON, `[{"access_token":"a"}]`, "", plain{}},
		{"a page", asHTML, "<html>" + toldSecretly + "</html>", "", plain{}},
		{"a page with a form in it", asHTML, `<a href="/?x&access_token=a&y">`, "", plain{}},
		{"JSON that is cut short", asJSON, `{"access_token":"` + given + `","refresh_token":"given-ref`, "", plain{}},
		{"JSON that goes on", asJSON, `{"access_token":"a"} {"access_token":"b"}`, "", plain{}},
		{"a form with two tokens", asForm, "access_token=a&access_token=b", "", plain{}},
		{"a form that is none", asForm, "access_token=%zz", "", plain{}},
		{"an answer that is too large", asJSON, `{"access_token":"a","x":"` + strings.Repeat("x", 128<<10) + `"}`, "", plain{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			provider := newProvider(t, says(200, row.contentType, row.body))
			r := refresh(provider.URL)
			r.ResponsePath = row.path
			answer := provider.client().Do(t.Context(), r)
			want := connector.Granted
			if row.want == (plain{}) {
				want = connector.Unclear
			}
			if answer.Outcome != want || plainOf(answer.Tokens) != row.want {
				t.Errorf("got %d, %.300v, %q", answer.Outcome, plainOf(answer.Tokens), answer.Why)
			}
			checkSilent(t, answer)
		})
	}
}
