// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
)

var update = flag.Bool("update", false, "write the pages in testdata anew")

const prefix = "/connectorauth/assets/"

func offer(changes ...func(*pages.Offer)) pages.Offer {
	made := pages.Offer{
		Application: "HubSpot", Account: "Acme Ltd", User: "jane", Return: "app.acme.example",
		Action:       "/connectorauth/updateaccountconnectoroauth",
		Fields:       map[string]string{"token": "clvt_1", "id": "acme.crm", "targetOrigin": "https://app.acme.example/done"},
		Frames:       []string{"https://app.acme.example"},
		Destinations: []string{"https://app.hubspot.com", "https://app.acme.example"},
	}
	for _, change := range changes {
		change(&made)
	}
	return made
}

func completion(changes ...func(*pages.Completion)) pages.Completion {
	made := pages.Completion{
		Application: "HubSpot", Target: "https://app.acme.example", Message: json.RawMessage(`{"connected":"acme.crm"}`),
	}
	for _, change := range changes {
		change(&made)
	}
	return made
}

// page is one way to write one.
type page func(*pages.Site, http.ResponseWriter, *http.Request)

func anOffer(made pages.Offer) page {
	return func(s *pages.Site, w http.ResponseWriter, r *http.Request) { s.Offer(w, r, made) }
}

func aFailure(made pages.Failure) page {
	return func(s *pages.Site, w http.ResponseWriter, r *http.Request) { s.Fail(w, r, made) }
}

func aCompletion(made pages.Completion) page {
	return func(s *pages.Site, w http.ResponseWriter, r *http.Request) { s.Complete(w, r, made) }
}

func write(method string, made page) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	made(pages.New(prefix), w, httptest.NewRequest(method, "/connectorauth/updateaccountconnectoroauth?token=in-the-query", http.NoBody))
	return w
}

func TestPages(t *testing.T) {
	for _, row := range []struct {
		name, file string
		page       page
		status     int
		policy     string
	}{
		{
			"an offer says which application, which account and on whose behalf", "offer.html", anOffer(offer()), 200,
			"script-src 'self'; form-action 'self' https:; frame-ancestors https://app.acme.example",
		},
		{
			"a failure says what has happened and what to do", "failure.html", aFailure(pages.Failure{Problem: signin.LinkDead}), 410,
			"form-action 'none'; frame-ancestors 'none'",
		},
		{
			"a completion tells the opener", "completion.html", aCompletion(completion()), 200,
			"script-src 'self'; form-action 'none'; frame-ancestors 'none'",
		},
		{
			"a completion tells of a failure, too", "completion-failed.html", aCompletion(completion(func(c *pages.Completion) {
				c.Problem, c.Message = signin.AccessDenied, json.RawMessage(`{"error":"access_denied"}`)
			})), 200,
			"script-src 'self'; form-action 'none'; frame-ancestors 'none'",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := write(http.MethodGet, row.page)
			if got.Code != row.status {
				t.Errorf("got status %d, want %d", got.Code, row.status)
			}
			policy := "default-src 'none'; base-uri 'none'; img-src data:; style-src 'self'; " + row.policy
			if got := got.Header().Get("Content-Security-Policy"); got != policy {
				t.Errorf("got policy\n%s\nwant\n%s", got, policy)
			}
			checkGolden(t, row.file, got.Body.String())
		})
	}
}

// assetHash is what stands in the name of an asset for what is in it.
var assetHash = regexp.MustCompile(`\.[0-9a-f]{16}\.`)

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	got = assetHash.ReplaceAllString(got, ".HASH.")
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not %s (go test -update writes it anew); it is\n%s", file, got)
	}
}

func TestHeaders(t *testing.T) {
	want := map[string]string{
		"Cache-Control":              "no-store",
		"Content-Type":               "text/html; charset=utf-8",
		"Cross-Origin-Opener-Policy": "unsafe-none",
		"Permissions-Policy":         "camera=(), display-capture=(), fullscreen=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()",
		"Referrer-Policy":            "no-referrer",
		"X-Content-Type-Options":     "nosniff",
		"X-Robots-Tag":               "noindex",
	}
	for _, row := range []struct {
		name string
		page page
	}{
		{"an offer", anOffer(offer())},
		{"a failure", aFailure(pages.Failure{Problem: signin.Unavailable})},
		{"a completion", aCompletion(completion())},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, head := write(http.MethodGet, row.page), write(http.MethodHead, row.page)
			for name, value := range want {
				if got := got.Header().Get(name); got != value {
					t.Errorf("%s: got %q, want %q", name, got, value)
				}
			}
			for name := range got.Header() {
				if got, head := got.Header().Get(name), head.Header().Get(name); got != head {
					t.Errorf("%s: HEAD has %q, GET has %q", name, head, got)
				}
			}
			if head.Code != got.Code || head.Body.Len() != 0 {
				t.Errorf("HEAD: got status %d with %d bytes, want %d with none", head.Code, head.Body.Len(), got.Code)
			}
			if strings.Contains(got.Body.String(), "in-the-query") {
				t.Error("the page repeats what it was asked for with")
			}
		})
	}
}

func TestPolicyOfOrigins(t *testing.T) {
	for _, row := range []struct {
		name                 string
		frames, destinations []string
		want                 string
	}{
		{"none: nobody may frame it", nil, nil, "form-action 'self' https:; frame-ancestors 'none'"},
		{
			"several",
			[]string{"https://a.example", "https://b.example:8443"},
			nil,
			"form-action 'self' https:; frame-ancestors https://a.example https://b.example:8443",
		},
		{
			"an application that is not reached by https is named once",
			nil,
			[]string{"http://127.0.0.1:8080", "https://a.example", "http://127.0.0.1:8080"},
			"form-action 'self' https: http://127.0.0.1:8080; frame-ancestors 'none'",
		},
		{
			"what is no origin is left out",
			[]string{
				"*", "https://*", "https://a.example/", "https://a.example; script-src *", "https://a.example;script-src", "https://a.example,b",
				"https://u@a.example", "'self'", "a.example", "https://", "", "https://a.example\r\nX: y",
			},
			[]string{"http://a.example/x", "http: data:"},
			"form-action 'self' https:; frame-ancestors 'none'",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := write(http.MethodGet, anOffer(offer(func(o *pages.Offer) { o.Frames, o.Destinations = row.frames, row.destinations })))
			_, policy, _ := strings.Cut(got.Header().Get("Content-Security-Policy"), "script-src 'self'; ")
			if policy != row.want {
				t.Errorf("got\n%s\nwant\n%s", policy, row.want)
			}
		})
	}
}
