// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
)

func TestAuthorizationError(t *testing.T) {
	const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	refuse := func(accept ...string) answer {
		request := httptest.NewRequest(http.MethodGet, "/oauth/authorize?state="+canary, http.NoBody)
		request.Header["Accept"] = accept
		return record(func(w http.ResponseWriter) { respond.AuthorizationError(w, request, oauth.UnauthorizedClient()) })
	}
	header := func(mediaType string) map[string]string {
		return with("Content-Type", mediaType, "Vary", "Accept", "Content-Security-Policy", policy,
			"Referrer-Policy", "no-referrer", "X-Content-Type-Options", "nosniff")
	}
	const json = `{"error":"unauthorized_client","error_description":"no user can sign in here; use the client credentials grant at the token endpoint"}`
	for _, row := range []struct {
		name   string
		accept []string
		json   bool
	}{
		{name: "a browser is shown a page", accept: []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}},
		{name: "a browser that splits the header is", accept: []string{"application/xml", "text/html"}},
		{name: "a program that says nothing is told in JSON", json: true},
		{name: "a program that takes anything is told in JSON", accept: []string{"*/*"}, json: true},
		{name: "a program that asks for JSON is told in JSON", accept: []string{"application/json"}, json: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := refuse(row.accept...)
			if row.json {
				got.check(t, 400, header("application/json"), json)
				return
			}
			got.check(t, 400, header("text/html; charset=utf-8"), got.body)
			if !strings.Contains(got.body, "<code>unauthorized_client</code>") || strings.Contains(got.body, canary) {
				t.Errorf("the page is\n%s", got.body)
			}
		})
	}
}
