// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/respond"
	"github.com/claviger/claviger/test/leak"
)

const canary = "canary-0123456789"

// answer is what a writer of this package wrote.
type answer struct {
	status int
	header http.Header
	body   string
}

func record(write func(http.ResponseWriter)) answer {
	recorder := httptest.NewRecorder()
	write(recorder)
	return answer{status: recorder.Code, header: recorder.Header(), body: recorder.Body.String()}
}

// check compares an answer with what it should be; every header that is there must be named.
func (a answer) check(t *testing.T, status int, header map[string]string, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("got %d %s\nwant %d %s", a.status, a.body, status, body)
	}
	for name, values := range a.header {
		if want, expected := header[name]; !expected || len(values) != 1 || values[0] != want {
			t.Errorf("got %s: %q, want %q", name, values, want)
		}
	}
	for name := range header {
		if a.header.Values(name) == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// with gives the headers of every JSON answer, and more.
func with(more ...string) map[string]string {
	header := map[string]string{"Cache-Control": "no-store", "Content-Type": "application/json"}
	for i := 0; i < len(more); i += 2 {
		header[more[i]] = more[i+1]
	}
	return header
}

func TestJSON(t *testing.T) {
	t.Run("a value is written as JSON that no cache may keep", func(t *testing.T) {
		record(func(w http.ResponseWriter) { respond.JSON(w, http.StatusOK, map[string]string{"a": "<b>"}) }).
			check(t, 200, with(), `{"a":"\u003cb\u003e"}`)
	})
	t.Run("a value that cannot be written is a failure of ours", func(t *testing.T) {
		record(func(w http.ResponseWriter) { respond.JSON(w, http.StatusOK, func() {}) }).
			check(t, 500, with(), `{"error":"server_error"}`)
	})
}

func TestMethodNotAllowed(t *testing.T) {
	record(func(w http.ResponseWriter) { respond.MethodNotAllowed(w, "GET, HEAD") }).
		check(t, 405, with("Allow", "GET, HEAD"), `{"error":"invalid_request","error_description":"method not allowed; use GET, HEAD"}`)
}

func TestTokenError(t *testing.T) {
	const basic = `Basic realm="claviger", charset="UTF-8"`
	failed := `{"error":"server_error","error_description":"the server could not complete the request; try again"}`
	for _, row := range []struct {
		name   string
		err    error
		status int
		header map[string]string
		body   string
	}{
		{"a malformed request is 400", oauth.InvalidRequest("x is missing"), 400, with(), `{"error":"invalid_request","error_description":"x is missing"}`},
		{"a token of another client is 400", oauth.InvalidGrant("not yours"), 400, with(), `{"error":"invalid_grant","error_description":"not yours"}`},
		{"another grant type is 400", oauth.UnsupportedGrantType(), 400, with(), `{"error":"unsupported_grant_type","error_description":"grant_type must be client_credentials"}`},
		{"a scope that cannot be granted is 400", oauth.InvalidScope("none"), 400, with(), `{"error":"invalid_scope","error_description":"none"}`},
		{"a resource that is unknown is 400", oauth.InvalidTarget("none"), 400, with(), `{"error":"invalid_target","error_description":"none"}`},
		{"a client that is not authenticated is 401 with a challenge", oauth.InvalidClient(errors.New(canary)), 401, with("Www-Authenticate", basic), `{"error":"invalid_client","error_description":"client authentication failed"}`},
		{"a failure of ours is 503 and may be tried again", oauth.ServerError(errors.New(canary)), 503, with("Retry-After", "5"), failed},
		{
			"a budget that is spent is 429 and says when to try again, in whole seconds", oauth.TemporarilyUnavailable(2001*time.Millisecond, "too many", canary),
			429, with("Retry-After", "3"), `{"error":"temporarily_unavailable","error_description":"too many"}`,
		},
		{"less than a second is one", oauth.TemporarilyUnavailable(1, "too many", canary), 429, with("Retry-After", "1"), `{"error":"temporarily_unavailable","error_description":"too many"}`},
		{"any other error is a failure of ours", errors.New(canary), 503, with("Retry-After", "5"), failed},
		{"a wrapped error is found", fmt.Errorf("%s: %w", canary, oauth.InvalidScope("none")), 400, with(), `{"error":"invalid_scope","error_description":"none"}`},
		{"an error without description has none", &oauth.Error{Code: "invalid_scope"}, 400, with(), `{"error":"invalid_scope"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			record(func(w http.ResponseWriter) { respond.TokenError(w, row.err) }).check(t, row.status, row.header, row.body)
		})
	}
}

func TestRefuse(t *testing.T) {
	mcp := oauth.Scopes{"MCP", "orders.read"}
	const invalid = `{"error":"invalid_token","error_description":"the access token is not valid here"}`
	for _, row := range []struct {
		name      string
		err       error
		needed    oauth.Scopes
		status    int
		challenge string
		body      string
	}{
		{"no token is 401 without error", oauth.ErrNoToken, nil, 401, `Bearer realm="claviger"`, ""},
		{"no token is told which scopes would do", oauth.ErrNoToken, mcp, 401, `Bearer realm="claviger", scope="MCP orders.read"`, ""},
		{"no token is found in a chain", fmt.Errorf("x: %w", oauth.ErrNoToken), nil, 401, `Bearer realm="claviger"`, ""},
		{
			"an invalid token is 401, and no scope would help", oauth.InvalidToken(errors.New(canary)), mcp, 401,
			`Bearer realm="claviger", error="invalid_token", error_description="the access token is not valid here"`, invalid,
		},
		{
			"a token that does not reach is 403 and told which scopes would do", oauth.InsufficientScope("not far enough"), mcp, 403,
			`Bearer realm="claviger", error="insufficient_scope", error_description="not far enough", scope="MCP orders.read"`,
			`{"error":"insufficient_scope","error_description":"not far enough"}`,
		},
		{
			"a failure of ours is 403: gateways know no more", oauth.ServerError(errors.New(canary)), nil, 403,
			`Bearer realm="claviger", error="server_error", error_description="the server could not complete the request; try again"`,
			`{"error":"server_error","error_description":"the server could not complete the request; try again"}`,
		},
		{
			"any other error is a failure of ours", errors.New(canary), nil, 403,
			`Bearer realm="claviger", error="server_error", error_description="the server could not complete the request; try again"`,
			`{"error":"server_error","error_description":"the server could not complete the request; try again"}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := with("Www-Authenticate", row.challenge)
			if row.body == "" {
				delete(header, "Content-Type")
			}
			record(func(w http.ResponseWriter) { respond.Refuse(row.err, row.needed).Write(w) }).check(t, row.status, header, row.body)
		})
	}
}

// TestRefuseAt: a registered place always says how to get in (RFC 9728 section 5.1).
func TestRefuseAt(t *testing.T) {
	const metadata = "https://auth.example.com/.well-known/oauth-protected-resource/acme/tools"
	for _, row := range []struct {
		name      string
		err       error
		status    int
		challenge string
	}{
		{"no token", oauth.ErrNoToken, 401, `Bearer realm="claviger", scope="MCP orders.read", resource_metadata="` + metadata + `"`},
		{
			"an invalid token", oauth.InvalidToken(errors.New(canary)), 401,
			`Bearer realm="claviger", error="invalid_token", error_description="the access token is not valid here", scope="MCP orders.read", resource_metadata="` + metadata + `"`,
		},
		{
			"a token that does not reach", oauth.InsufficientScope("not far enough"), 403,
			`Bearer realm="claviger", error="insufficient_scope", error_description="not far enough", scope="MCP orders.read", resource_metadata="` + metadata + `"`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := record(func(w http.ResponseWriter) {
				respond.RefuseAt(row.err, oauth.Scopes{"MCP", "orders.read"}, metadata).Write(w)
			})
			if challenge := got.header.Get("WWW-Authenticate"); got.status != row.status || challenge != row.challenge {
				t.Errorf("got %d %s", got.status, challenge)
			}
		})
	}
}

// everyError gives every error that the domain can make, each with a private cause where it can have one.
func everyError() []error {
	cause := fault.Terminalf("Suspended", "%s: %w", canary, errors.New(canary))
	return []error{
		oauth.InvalidRequest("a"), oauth.InvalidGrant("a"), oauth.UnsupportedGrantType(), oauth.InvalidScope("a"), oauth.InvalidTarget("a"),
		oauth.InsufficientScope("a"), oauth.InvalidClient(cause), oauth.InvalidToken(cause), oauth.ServerError(cause),
		cause, fmt.Errorf("%s: %w", canary, oauth.InvalidToken(cause)), errors.Join(oauth.ErrNoToken, cause),
	}
}

// TestCauseNeverReachesAnAnswer: the private half of an error is in no body and no header.
func TestCauseNeverReachesAnAnswer(t *testing.T) {
	for _, err := range everyError() {
		for name, write := range map[string]func(http.ResponseWriter){
			"TokenError": func(w http.ResponseWriter) { respond.TokenError(w, err) },
			"Refuse":     func(w http.ResponseWriter) { respond.Refuse(err, oauth.Scopes{"MCP"}).Write(w) },
			"RefuseAt":   func(w http.ResponseWriter) { respond.RefuseAt(err, oauth.Scopes{"MCP"}, "https://a").Write(w) },
		} {
			got := record(write)
			if text := fmt.Sprint(got.status, got.header, got.body); leak.Holds(text, canary) {
				t.Errorf("%s of %v: %s", name, err, text)
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s of %v may be cached", name, err)
			}
			if got.body != "" && !json.Valid([]byte(got.body)) {
				t.Errorf("%s of %v: %s is no JSON", name, err, got.body)
			}
		}
	}
}

// TestChallengeSyntax holds every challenge to RFC 9110 section 11.6.1: a scheme and parameters of quoted strings, none of
// which needs an escape.
func TestChallengeSyntax(t *testing.T) {
	syntax := regexp.MustCompile(`^Bearer realm="claviger"(, (error|error_description|scope|resource_metadata)="[\x20\x21\x23-\x5b\x5d-\x7e]+")*$`)
	var every strings.Builder
	for c := rune(0x21); c <= 0x7e; c++ {
		every.WriteString(string(c) + " ")
	}
	noisy, err := oauth.ParseScopes(strings.NewReplacer(`" `, "", `\ `, "").Replace(every.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range append(everyError(), oauth.ErrNoToken) {
		for _, needed := range []oauth.Scopes{nil, {"MCP"}, noisy} {
			got := record(func(w http.ResponseWriter) { respond.Refuse(err, needed).Write(w) })
			challenge := got.header.Get("WWW-Authenticate")
			if !syntax.MatchString(challenge) || got.status != 401 && got.status != 403 {
				t.Errorf("%v: got %d %s", err, got.status, challenge)
			}
			for _, parameter := range []string{"error=", "error_description=", "scope="} {
				if strings.Count(challenge, " "+parameter) > 1 {
					t.Errorf("%v: %s is repeated in %s", err, parameter, challenge)
				}
			}
		}
	}
}
