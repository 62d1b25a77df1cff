// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/leak"
)

const clientSecret = "clvs_s3cret+with%characters&of its own"

// holder is what a Secret holds in these tests.
var holder = binding{secret: "orders", clientID: "acme.orders", clientSecret: oauth.NewSecret(clientSecret)}

func TestPathsAreThoseOfTheTokenService(t *testing.T) {
	if pathToken != server.PathToken || pathRevoke != server.PathRevoke || pathJWKS != server.PathJWKS {
		t.Errorf("got %s, %s and %s", pathToken, pathRevoke, pathJWKS)
	}
}

// TestTakeToken: what a token endpoint is asked, and what becomes of its answer.
func TestTakeToken(t *testing.T) {
	for _, row := range []struct {
		name   string
		scope  string
		asked  []string
		status int
		body   string
		want   string // of the error; "" where a token is had
	}{
		{name: "a token is had", status: 200, body: `{"access_token":"a.b.c"}`},
		{name: "scopes are asked for", scope: "Webhook account:acme", status: 200, body: `{"access_token":"a.b.c"}`},
		{name: "resources are asked for", asked: []string{"https://a.example/", "https://b.example/"}, status: 200, body: `{"access_token":"a.b.c"}`},
		{
			name: "an OAuth error is told with its description", status: 401,
			body: `{"error":"invalid_client","error_description":"client authentication failed"}`, want: "invalid_client: client authentication failed",
		},
		{name: "one without a description too", status: 400, body: `{"error":"invalid_scope"}`, want: "invalid_scope"},
		{
			name: "an error that would write on the terminal is made safe", status: 400,
			body: `{"error":"x","error_description":"\u001b[2J"}`, want: `x: \x1b[2J`,
		},
		{name: "a page of a proxy is not repeated", status: 502, body: "<html>", want: "the token service answered with status 502, and not as one does: is this its URL?"},
		{name: "a redirect is not followed", status: 307, body: "", want: "the token service answered with status 307, and not as one does: is this its URL?"},
	} {
		t.Run(row.name, func(t *testing.T) {
			calls := 0
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				client, err := oauth.ParseTokenRequest(requestOf(t, r))
				if err != nil || r.URL.RawQuery != "" || client.Scopes.String() != row.scope || !slices.Equal(client.Resources, row.asked) {
					t.Errorf("asked for %q: %v", client.Scopes, err)
				}
				if found := client.Client.Readings; !holds(found, holder.clientID, clientSecret) {
					t.Error("the client ID and secret arrive otherwise than they were sent")
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}))
			defer service.Close()
			body, err := takeToken(t.Context(), endpoint{url: service.URL + pathToken}, holder, url.Values{"scope": {row.scope}, "resource": row.asked})
			if calls != 1 {
				t.Errorf("called %d times", calls)
			}
			switch {
			case row.want == "" && (err != nil || string(body) != row.body):
				t.Errorf("got %s, %v", body, err)
			case row.want != "" && (err == nil || err.Error() != row.want):
				t.Errorf("got %v", err)
			case err != nil && leak.Holds(err.Error(), clientSecret):
				t.Error("the error holds the client secret")
			}
		})
	}
}

func requestOf(t *testing.T, r *http.Request) oauth.RawRequest {
	t.Helper()
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	return oauth.RawRequest{
		Query: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"), Authorization: r.Header.Values("Authorization"),
		Body: []byte(r.PostForm.Encode()),
	}
}

func holds(readings []oauth.Presented, id, secret string) bool {
	for _, reading := range readings {
		if reading.ClientID == id && reading.Secret.Reveal() == secret {
			return true
		}
	}
	return false
}

// TestEndpointTrust: whom the client secret is given to.
func TestEndpointTrust(t *testing.T) {
	answering := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	private := httptest.NewUnstartedServer(answering)
	private.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	private.StartTLS()
	defer private.Close()
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: private.Certificate().Raw})
	for _, row := range []struct {
		name  string
		where endpoint
		want  string
	}{
		{"one whose CA the Secret names", endpoint{url: private.URL, caCert: own}, ""},
		{"one of an unknown CA", endpoint{url: private.URL}, "certificate"},
		{"CA certificates that are none", endpoint{url: private.URL, caCert: []byte("x")}, "are not PEM"},
		{"plain HTTP beyond this machine", endpoint{url: "http://auth.example.com/oauth/token"}, "in clear"},
		{"plain HTTP to a name that begins like this machine", endpoint{url: "http://localhost.example.com/"}, "in clear"},
		{"another scheme", endpoint{url: "ftp://auth.example.com/"}, "not the https URL"},
		{"no host", endpoint{url: "https:///oauth/token"}, "not the https URL"},
		{"no URL at all", endpoint{url: "::"}, "missing protocol scheme"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := row.where.postForm(t.Context(), holder, nil)
			if (row.want == "" && err != nil) || (row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want))) {
				t.Errorf("got %v", err)
			}
			if err != nil && leak.Holds(err.Error(), clientSecret) {
				t.Error("the error holds the client secret")
			}
		})
	}
	t.Run("plain HTTP where it is allowed is tried", func(t *testing.T) {
		where := endpoint{url: "http://auth.invalid/", allowPlainHTTP: true}
		if _, err := where.postForm(canceled(), holder, nil); err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Errorf("got %v", err)
		}
	})
}

func TestShowToken(t *testing.T) {
	const body = `{"token_type":"bearer","access_token":"a.b.c","expires_in":3600}`
	for _, row := range []struct{ name, format, body, want string }{
		{"the bare token", "", body, "a.b.c\n"},
		{"a header", "header", body, "Authorization: Bearer a.b.c\n"},
		{"the whole answer", "json", body, body + "\n"},
		{"an answer without a token", "", `{}`, ""},
		{"an answer with something else for a token", "header", `{"access_token":"a\r\nCookie: b"}`, ""},
		{"an answer that is no JSON", "json", `<html>`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			session, out := testSession()
			err := (&tokenCommand{session: session, format: row.format}).show([]byte(row.body))
			if out.String() != row.want || (err != nil) != (row.want == "") {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
}

// TestWhereTheTokenServiceIs: flags before the Secret, and a URL before an issuer.
func TestWhereTheTokenServiceIs(t *testing.T) {
	const written = "https://auth.example.com/oauth/token"
	for _, row := range []struct{ name, override, issuer, written, want string }{
		{"what the Secret says", "", "", written, written},
		{"below --issuer", "", "http://127.0.0.1:8089", written, "http://127.0.0.1:8089/oauth/token"},
		{"below the path of --issuer", "", "https://example.com/auth", "", "https://example.com/auth/oauth/token"},
		{"at --token-url", "https://example.com/t", "http://127.0.0.1:8089", written, "https://example.com/t"},
		{"an --issuer that is none", "", "https://example.com/", written, "error"},
		{"nobody says", "", "", "", "error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			flags := issuerFlags{issuer: row.issuer}
			got, err := flags.endpoint(row.override, pathToken, row.written, nil)
			if (err != nil) != (row.want == "error") || (err == nil && got.url != row.want) {
				t.Errorf("got %s, %v", got.url, err)
			}
		})
	}
}

// TestBindingPrintsNoSecret: whatever verb somebody uses one day.
func TestBindingPrintsNoSecret(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if leak.Holds(fmt.Sprintf(verb, holder), clientSecret) {
			t.Errorf("%s prints the secret", verb)
		}
	}
}
