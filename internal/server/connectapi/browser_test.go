// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/oauth"
)

const (
	secureURL = "https://auth.example.com/base"
	plainURL  = "http://127.0.0.1:8090"
)

func newAPI(t *testing.T, at string) *API {
	t.Helper()
	parsed, err := oauth.ParseIssuerURL(at, false)
	if err != nil {
		t.Fatal(err)
	}
	return &API{URL: parsed, SignIns: &signin.Service{Random: rand.Reader}}
}

var goodKey = strings.Repeat("k", 43)

func TestBrowser(t *testing.T) {
	for _, row := range []struct {
		name, at string
		cookies  []*http.Cookie
		known    bool
	}{
		{"one that is known", secureURL, []*http.Cookie{{Name: "__Host-claviger-sign-in", Value: goodKey}}, true},
		{"one that is known, beside other cookies", secureURL, []*http.Cookie{{Name: "a", Value: "b"}, {Name: "__Host-claviger-sign-in", Value: goodKey}}, true},
		{"one that is new", secureURL, nil, false},
		{"one with a cookie that anybody can plant", secureURL, []*http.Cookie{{Name: "claviger-sign-in", Value: goodKey}}, false},
		{"one with a cookie of another form", secureURL, []*http.Cookie{{Name: "__Host-claviger-sign-in", Value: "short"}}, false},
		{"one with a cookie that is too long", secureURL, []*http.Cookie{{Name: "__Host-claviger-sign-in", Value: goodKey + "k"}}, false},
		{"one with the cookie twice: one of them is planted", secureURL, []*http.Cookie{
			{Name: "__Host-claviger-sign-in", Value: goodKey}, {Name: "__Host-claviger-sign-in", Value: strings.Repeat("e", 43)},
		}, false},
		{"one that is known, on loopback", plainURL, []*http.Cookie{{Name: "claviger-sign-in", Value: goodKey}}, true},
		{"one that is new, on loopback", plainURL, nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			api, answer := newAPI(t, row.at), httptest.NewRecorder()
			request := httptest.NewRequest(http.MethodGet, row.at+PathLink, http.NoBody)
			for _, cookie := range row.cookies {
				request.AddCookie(cookie)
			}
			found, err := api.browser(answer, request)
			if err != nil {
				t.Fatal(err)
			}
			set := answer.Result().Cookies()
			if row.known {
				if found.Key.Reveal() != goodKey || len(set) != 0 {
					t.Errorf("it is known as %q, and gets %v", found.Key.Reveal(), set)
				}
				return
			}
			if len(set) != 1 || set[0].Value != found.Key.Reveal() || found.Key.Reveal() == goodKey || !cookieValue.MatchString(set[0].Value) {
				t.Fatalf("it gets %v", set)
			}
			tls := row.at == secureURL
			if got := set[0]; got.Path != "/" || got.Domain != "" || !got.HttpOnly || got.Secure != tls || got.SameSite != http.SameSiteLaxMode || got.MaxAge != 0 ||
				strings.HasPrefix(got.Name, "__Host-") != tls {
				t.Errorf("the cookie is %v", got)
			}
		})
	}
}

func TestBrowserWithoutRandomness(t *testing.T) {
	api, answer := newAPI(t, secureURL), httptest.NewRecorder()
	api.SignIns.Random = io.LimitReader(strings.NewReader(""), 0)
	if found, err := api.browser(answer, httptest.NewRequest(http.MethodGet, secureURL, http.NoBody)); err == nil || len(answer.Result().Cookies()) != 0 {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestSameSite is who may press the button: our own page, and nobody else's.
func TestSameSite(t *testing.T) {
	for _, row := range []struct {
		name                string
		fetchSite, origin   string
		cookie, foreign, is bool
	}{
		{name: "a browser that says so", fetchSite: "same-origin", is: true},
		{name: "a browser that says so, of a page that hides its origin", fetchSite: "same-origin", origin: "null", is: true},
		{name: "another site", fetchSite: "cross-site", cookie: true},
		{name: "another host of our site", fetchSite: "same-site", cookie: true},
		{name: "an address that was typed, or another program", fetchSite: "none", cookie: true},
		{name: "another site that claims our origin", fetchSite: "cross-site", origin: "https://auth.example.com", cookie: true},
		{name: "what no browser says", fetchSite: "same-origin, cross-site", cookie: true},
		{name: "an old browser, by its origin", origin: "https://auth.example.com", is: true},
		{name: "an old browser, from another origin", origin: "https://evil.example", cookie: true},
		{name: "an old browser, from another port", origin: "https://auth.example.com:8443", cookie: true},
		{name: "an old browser, by http", origin: "http://auth.example.com", cookie: true},
		{name: "an origin that begins like ours", origin: "https://auth.example.com.evil.example", cookie: true},
		{name: "an old browser that hides its origin, by its cookie", origin: "null", cookie: true, is: true},
		{name: "an old browser that hides its origin, without a cookie", origin: "null"},
		{name: "an older browser, by its cookie", cookie: true, is: true},
		{name: "an older browser, without a cookie"},
		{name: "an older browser, with a cookie of another form", cookie: true, foreign: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodPost, secureURL+PathLink, http.NoBody)
			if row.fetchSite != "" {
				request.Header.Set("Sec-Fetch-Site", row.fetchSite)
			}
			if row.origin != "" {
				request.Header.Set("Origin", row.origin)
			}
			if value := goodKey; row.cookie {
				if row.foreign {
					value = "x"
				}
				request.AddCookie(&http.Cookie{Name: cookieName, Value: value})
			}
			if got := newAPI(t, secureURL).sameSite(request); got != row.is {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestOpeningOf(t *testing.T) {
	for _, row := range []struct {
		name, query string
		want        signin.Opening
		refused     bool
	}{
		{"all", "id=a.b&token=t&targetOrigin=https%3A%2F%2Fa.example&callbackMessage=m", signin.Opening{
			Token: oauth.NewSecret("t"), Connection: "a.b", Target: "https://a.example", Message: "m",
		}, false},
		{"others beside them", "id=a.b&utm_source=mail&utm_source=web", signin.Opening{Connection: "a.b"}, false},
		{"nothing", "", signin.Opening{}, false},
		{"another letter case", "ID=a.b", signin.Opening{}, false},
		{"one twice", "id=a.b&id=a.c", signin.Opening{}, true},
		{"one twice, once empty", "token=&token=t", signin.Opening{}, true},
		{"an escape that is none", "id=%zz", signin.Opening{}, true},
		{"a semicolon", "id=a;token=t", signin.Opening{}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := openingOf(row.query)
			same := got.Token.Reveal() == row.want.Token.Reveal() && got.Connection == row.want.Connection && got.Target == row.want.Target && got.Message == row.want.Message
			if !same || errors.Is(err, signin.LinkInvalid) != row.refused {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestMessages are what the host's page is told, to the letter: clients outside the project depend on it.
func TestMessages(t *testing.T) {
	for _, row := range []struct {
		name    string
		outcome signin.Outcome
		query   url.Values
		message string
	}{
		{"all is well", signin.Outcome{}, nil, `"crm \"done\""`},
		{"it is to be confirmed", signin.Outcome{Code: "c"}, url.Values{"code": {"c"}}, `{"callbackMessage":"crm \"done\"","code":"c"}`},
		{
			"it has failed",
			signin.Outcome{Problem: signin.AccessDenied},
			url.Values{"error": {"access_denied"}, "error_description": {"the user or the application refused"}},
			`{"callbackMessage":"crm \"done\"","error":"access_denied","error_description":"the user or the application refused"}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := toldOf(row.outcome); got.Encode() != row.query.Encode() {
				t.Errorf("a redirect has %v", got)
			}
			target, err := signin.ParseTarget("https://app.example.com", `crm "done"`)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(messageOf(signin.Completion{Outcome: row.outcome, Target: target})); got != row.message {
				t.Errorf("posted is %s", got)
			}
		})
	}
}
