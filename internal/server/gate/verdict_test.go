// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/gate"
)

func TestVerdicts(t *testing.T) {
	for _, row := range []struct {
		name          string
		authorization []string
		refused       error
		misled        error
		status        int
		// challenge and body are parts of them; retry: when to try again is said.
		challenge, body string
		retry           bool
		result          string
	}{
		{name: "a good token", authorization: []string{"Bearer good"}, status: 200, body: "upstream", result: "admitted"},
		{name: "no token", status: 401, challenge: `Bearer realm="claviger", scope="Webhook"`, result: "no_token"},
		{name: "another scheme", authorization: []string{"Basic eDp5"}, status: 401, challenge: `scope="Webhook"`, result: "no_token"},
		{name: "two tokens", authorization: []string{"Bearer good", "Bearer good"}, status: 401, challenge: `error="invalid_token"`, result: "invalid_token"},
		{
			name: "a token that is refused", authorization: []string{"Bearer bad"}, refused: oauth.InvalidToken(errors.New("revoked")),
			status: 401, challenge: `error="invalid_token"`, body: `"error":"invalid_token"`, result: "invalid_token",
		},
		{
			name: "a token that does not reach so far", authorization: []string{"Bearer bad"}, refused: oauth.InsufficientScope("more is needed"),
			status: 403, challenge: `error="insufficient_scope", error_description="more is needed", scope="Webhook"`, result: "insufficient_scope",
		},
		{
			name: "a token that nobody can judge now", authorization: []string{"Bearer bad"}, refused: oauth.ServerError(errors.New("away")),
			status: 503, body: `"error":"server_error"`, retry: true, result: "server_error",
		},
		{
			name: "a judge that fails in a way of its own", authorization: []string{"Bearer bad"}, refused: errors.New("out of order"),
			status: 503, body: `"error":"server_error"`, retry: true, result: "server_error",
		},
		{
			name: "a place that admits nobody", authorization: []string{"Bearer good"}, misled: oauth.InsufficientScope("there is no such resource"),
			status: 403, challenge: `error="insufficient_scope"`, result: "insufficient_scope",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			var upstream seen
			w := newWorld(t, upstream.serve)
			w.refuse("bad", row.refused)
			w.set(func() { w.misled = row.misled })
			request := w.request(t, http.MethodPost, "/orders?x=1", strings.NewReader("body"))
			request.Header["Authorization"] = row.authorization
			response, body := w.do(t, request)
			if response.StatusCode != row.status {
				t.Fatalf("got %d %s", response.StatusCode, body)
			}
			if challenge := response.Header.Get("WWW-Authenticate"); !strings.Contains(challenge, row.challenge) || (row.challenge == "") != (challenge == "") {
				t.Errorf("got the challenge %q", challenge)
			}
			if !strings.Contains(body, row.body) {
				t.Errorf("got the body %q", body)
			}
			if (response.Header.Get("Retry-After") != "") != row.retry {
				t.Errorf("got Retry-After %q", response.Header.Get("Retry-After"))
			}
			if (upstream.Load() != nil) != (row.status == 200) {
				t.Error("the upstream must see what is admitted, and nothing else")
			}
			if w.metric(t, "claviger_gate_requests_total", row.result) != 1 {
				t.Errorf("it is not counted as %s", row.result)
			}
			audited := strings.Contains(w.told(), `"logger":"audit","level":0,"msg":"access denied"`)
			if audited != (row.status != 200) || strings.Contains(w.told(), "Bearer") || strings.Contains(w.told(), "orders?x") {
				t.Errorf("got the log %s", w.told())
			}
		})
	}
}

// TestTheAccountOfACall: where the caller names an account too, the token must be good for both.
func TestTheAccountOfACall(t *testing.T) {
	var upstream seen
	w := newWorld(t, upstream.serve)
	request := w.request(t, http.MethodGet, "/", nil)
	request.Header[accountHeader] = []string{"acme", "", "other"}
	w.do(t, request)
	want := []issuer.Need{{Scopes: oauth.Scopes{"Webhook"}, Accounts: []string{"acme", "acme", "other"}}}
	if !reflect.DeepEqual(w.needs, want) {
		t.Errorf("the judge was asked for %v", w.needs)
	}
	if got := upstream.Load().Header.Values(accountHeader); !reflect.DeepEqual(got, []string{"acme", "", "other"}) {
		t.Errorf("the upstream sees the accounts %q", got)
	}
}

func TestPathsThatNeedNoToken(t *testing.T) {
	for _, row := range []struct {
		name, method, path string
		header             http.Header
		passes             bool
	}{
		{name: "a public path", path: "/healthz", passes: true},
		{name: "a public path with a query", path: "/healthz?verbose", passes: true},
		{name: "a public path that is escaped", path: "/a%2Fb", passes: true},
		{name: "the same path spelled otherwise", path: "/a/b"},
		{name: "what stands below", path: "/healthz/x"},
		{name: "a slash at its end", path: "/healthz/"},
		{name: "two slashes", path: "//healthz"},
		{name: "another case", path: "/Healthz"},
		{name: "a way back out of it", path: "/healthz/../orders"},
		{name: "an escaped way back out of it", path: "/healthz/%2e%2e/orders"},
		{name: "an escape that means the same", path: "/health%7A"},
		{name: "a preflight", method: http.MethodOptions, path: "/orders", header: http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"}}, passes: true},
		{name: "an OPTIONS that is no preflight", method: http.MethodOptions, path: "/orders"},
		{name: "a POST that claims to be a preflight", method: http.MethodPost, path: "/orders", header: http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var upstream seen
			w := newWorld(t, upstream.serve, func(o *gate.Options) {
				o.PublicPaths, o.PassPreflight = []string{"/healthz", "/a%2Fb"}, true
			})
			request := w.request(t, row.method, row.path, nil)
			for name, values := range row.header {
				request.Header[name] = values
			}
			request.Header["Authorization"] = []string{"Bearer never"}
			w.refuse("never", oauth.InvalidToken(errors.New("unknown")))
			request.Header.Set("X-Claviger-Account", "forged")
			response, _ := w.do(t, request)
			if (response.StatusCode == http.StatusOK) != row.passes {
				t.Fatalf("got %d", response.StatusCode)
			}
			if !row.passes {
				return
			}
			if got := upstream.Load(); got.Header["X-Claviger-Account"] != nil || got.Header["Authorization"] != nil {
				t.Errorf("the upstream sees %v", got.Header)
			}
		})
	}
	t.Run("a preflight, where nobody said that it may pass", func(t *testing.T) {
		var upstream seen
		w := newWorld(t, upstream.serve)
		request := w.request(t, http.MethodOptions, "/", nil)
		request.Header = http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"}}
		if response, _ := w.do(t, request); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %d", response.StatusCode)
		}
	})
}
