// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/test/leak"
)

func TestChooseTarget(t *testing.T) {
	origins := func(of ...v1alpha1.Origin) []v1alpha1.Origin { return of }
	for _, row := range []struct {
		name               string
		account, connector []v1alpha1.Origin
		grant              v1alpha1.ConnectorGrant
		own                []v1alpha1.Origin
		completion         v1alpha1.SignInCompletion
		want               string // an error begins with !
	}{
		{name: "the account's page", account: origins("https://app.acme.example"), want: "https://app.acme.example"},
		{name: "the Connector's page", connector: origins("https://app.example.com"), want: "https://app.example.com"},
		{
			name:    "one on loopback before the others, which would not tell of a failure",
			account: origins("https://app.acme.example"), connector: origins("http://127.0.0.1:8765"), want: "http://127.0.0.1:8765",
		},
		{
			name:    "not one that the connection leaves out",
			account: origins("http://127.0.0.1:8765", "https://app.acme.example"), own: origins("https://app.acme.example"), want: "https://app.acme.example",
		},
		{
			name:    "the host's page where that is given the code",
			account: origins("http://127.0.0.1:8765", "https://app.acme.example"), completion: v1alpha1.CompletionConfirm, want: "https://app.acme.example",
		},
		{name: "not this machine where the host's page is given the code", account: origins("http://localhost:1"), completion: v1alpha1.CompletionConfirm, want: "!no page is allowed"},
		{name: "none", want: "!no page is allowed"},
		{name: "a Connector that needs nobody", account: origins("https://app.acme.example"), grant: v1alpha1.GrantClientCredentials, want: "!nobody signs in at hubspot"},
	} {
		t.Run(row.name, func(t *testing.T) {
			place := signin.Place{Connection: crm(), Account: &v1alpha1.Account{}, Connector: &v1alpha1.Connector{}}
			place.Connector.Name, place.Connector.Spec.Grant = "hubspot", row.grant
			place.Connection.Spec.AllowedOrigins, place.Connection.Spec.Completion = row.own, row.completion
			place.Account.Spec.AllowedOrigins, place.Connector.Spec.AllowedOrigins = row.account, row.connector
			got, err := chooseTarget(place)
			if want, failing := strings.CutPrefix(row.want, "!"); failing {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %s, %v", got, err)
				}
			} else if err != nil || got != want {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestTakeSignInToken(t *testing.T) {
	wish := plan{connection: crm(), user: "jane", target: "https://app.acme.example/done?a=b"}
	for _, row := range []struct {
		name   string
		status int
		body   string
		want   string // of the error; "" where a token is had
	}{
		{"a token is had", 200, `{"Token":"t","ExpiresAtUtc":"2026-11-24T12:05:00.1234567Z"}`, ""},
		{
			"what is wrong with the wish is told, with the wish", 400, `{"error":"invalid_request","error_description":"Username is not one of the Account's users"}`,
			"for user jane, ending at https://app.acme.example/done?a=b: invalid_request: Username is not one of the Account's users\nChoose others with --user",
		},
		{"a page of a proxy is not repeated", 502, "<html>", "the connect service answered with status 502, and not as one does"},
		{"an answer without a token", 200, `{}`, "the connect service answered without a sign-in token"},
	} {
		t.Run(row.name, func(t *testing.T) {
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var sent map[string]string
				body, _ := io.ReadAll(r.Body)
				if err := json.Unmarshal(body, &sent); err != nil || sent["Username"] != "jane" || sent["AccountConnectorId"] != "acme.crm" ||
					sent["TargetOrigin"] != wish.target || len(sent) != 3 {
					t.Errorf("sent %s", body)
				}
				if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer a.b.c" {
					t.Errorf("sent %s with %v", r.Method, r.Header)
				}
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}))
			defer service.Close()
			got, err := takeSignInToken(t.Context(), endpoint{service: errConnect, url: service.URL}, "a.b.c", wish)
			switch {
			case row.want == "" && (err != nil || got.Token != "t" || got.ExpiresAtUtc.Minute() != 5):
				t.Errorf("got %v, %v", got, err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v", err)
			case err != nil && leak.Holds(err.Error(), "a.b.c"):
				t.Error("the error holds the token")
			}
		})
	}
}

// TestConnectServiceIsNoCluster: it is told as that which could not be reached.
func TestConnectServiceIsNoCluster(t *testing.T) {
	_, err := endpoint{service: errConnect, url: "http://127.0.0.1:1"}.postJSON(t.Context(), "a.b.c", nil)
	if !errors.Is(err, errConnect) || errors.Is(err, errTokenService) || !strings.Contains(err.Error(), "calling the connect service") ||
		strings.Contains(explain(err), "--context") {
		t.Errorf("got %v", err)
	}
}

func TestConnectBase(t *testing.T) {
	for _, row := range []struct{ name, flag, issuer, written, want string }{
		{"where the issuer is", "", "", "https://auth.example.com", "https://auth.example.com"},
		{"where the issuer can be reached", "", "http://127.0.0.1:8089", "https://auth.example.com", "http://127.0.0.1:8089"},
		{"where the flag says", "https://connect.example.com", "http://127.0.0.1:8089", "https://auth.example.com", "https://connect.example.com"},
		{"nobody says", "", "", "", "error"},
		{"what is no URL", "connect", "", "", "error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			command := &connectCommand{connectURL: row.flag, issuerFlags: issuerFlags{issuer: row.issuer}}
			got, err := command.connectBase(binding{issuer: row.written})
			if (err != nil) != (row.want == "error") || (err == nil && got.String() != row.want) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

// TestLanding: what the browser brings back.
func TestLanding(t *testing.T) {
	for _, row := range []struct {
		name, method, path, shown string
		failure                   string // "" where the wait goes on
	}{
		{"a sign-in that went well is left to the connection to tell", http.MethodGet, "/", "The sign-in is complete. " + landingText, ""},
		{
			"a failure is told", http.MethodGet, "/?error=access_denied&error_description=no", "The sign-in has failed; the terminal says why. " + landingText,
			"the sign-in has failed: no (access_denied)",
		},
		{
			"a failure without words, and with what would write on the terminal", http.MethodGet, "/?error=%1b%5b2J", "The sign-in has failed; the terminal says why. " + landingText,
			`the sign-in has failed: \x1b[2J`,
		},
		{"another path is nothing", http.MethodGet, "/favicon.ico?error=x", "404 page not found\n", ""},
		{"another method is nothing", http.MethodPost, "/?error=x", "404 page not found\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := freeOrigin(t)
			ctx, ended := listen(t.Context(), target)
			defer ended.close(t.Context())
			request, err := http.NewRequestWithContext(t.Context(), row.method, target+row.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if body, _ := io.ReadAll(response.Body); string(body) != row.shown {
				t.Errorf("the page is %q", body)
			}
			var failed *signInError
			if got := errors.As(context.Cause(ctx), &failed); got != (row.failure != "") || got && failed.Error() != row.failure {
				t.Errorf("got %v", context.Cause(ctx))
			}
		})
	}
	t.Run("a page elsewhere is not served", func(t *testing.T) {
		for _, target := range []string{"https://app.acme.example", "https://127.0.0.1:1", "http://app.acme.example", "::"} {
			if _, ended := listen(t.Context(), target); ended.server != nil {
				t.Errorf("%s is served", target)
			}
		}
	})
	t.Run("a port that is taken is somebody's page", func(t *testing.T) {
		target := freeOrigin(t)
		_, first := listen(t.Context(), target)
		_, second := listen(t.Context(), target)
		if first.server == nil || second.server != nil {
			t.Error("both are served")
		}
		second.linger(t.Context())
		second.close(t.Context())
		first.close(t.Context())
	})
}

// freeOrigin is one on loopback that nobody serves.
func freeOrigin(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return (&url.URL{Scheme: "http", Host: listener.Addr().String()}).String()
}

func TestOpener(t *testing.T) {
	for system, want := range map[string]string{"linux": "xdg-open", "darwin": "open", "windows": "rundll32"} {
		if got := opener(system); got[0] != want {
			t.Errorf("%s: got %s", system, got)
		}
	}
}
