// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/claviger/claviger/test/provider"
)

// clock is one that a test moves.
type clock struct {
	mutex sync.Mutex
	at    time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.at
}

func (c *clock) advance(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(by)
}

func start(t *testing.T, options provider.Options) *provider.Provider {
	t.Helper()
	p := provider.Start(options)
	t.Cleanup(p.Close)
	return p
}

// answer is that of a token endpoint.
type answer struct {
	status                int
	Access                string `json:"access_token"`
	Refresh               string `json:"refresh_token"`
	Error                 string `json:"error"`
	broken, redirects, in bool
}

// refresh presents a refresh token, once.
func refresh(t *testing.T, p *provider.Provider, token string) answer {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+provider.PathToken, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(provider.ClientID, provider.ClientSecret)
	client := p.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		return answer{broken: true}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	got := answer{status: response.StatusCode, broken: err != nil, redirects: response.StatusCode/100 == 3}
	got.in = strings.Contains(string(body), "access-")
	_ = json.Unmarshal(body, &got)
	return got
}

func TestRotation(t *testing.T) {
	for _, row := range []struct {
		name     string
		rotation provider.Rotation
		later    time.Duration
		// taken: the first refresh token, presented a second time, is taken; lives: the grant does after that.
		replaced, taken, lives bool
	}{
		{"a refresh token that is kept works again", provider.Keeps, time.Hour, false, true, true},
		{"one that is forgiven works again soon", provider.Forgives, time.Second, true, true, true},
		{"one that is forgiven ends the grant later", provider.Forgives, time.Minute, true, false, false},
		{"a strict one ends the grant", provider.Strict, time.Second, true, false, false},
		{"a single-use one is refused, and the grant lives", provider.SingleUse, time.Second, true, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			clock := newClock()
			p := start(t, provider.Options{Now: clock.now, Rotation: row.rotation})
			given := p.Give("crm")
			first := refresh(t, p, given.Refresh)
			if first.status != http.StatusOK || first.Refresh != given.Refresh != row.replaced || !p.AccessLive(first.Access) || !p.RefreshLive(first.Refresh) {
				t.Fatalf("the first time: status %d, error %q", first.status, first.Error)
			}
			clock.advance(row.later)
			if p.RefreshLive(given.Refresh) != row.taken {
				t.Errorf("it says beforehand that the token is live: %v", !row.taken)
			}
			if again := refresh(t, p, given.Refresh); (again.status == http.StatusOK) != row.taken {
				t.Errorf("the second time: status %d, error %q", again.status, again.Error)
			}
			if p.RefreshLive(first.Refresh) != row.lives {
				t.Errorf("the grant lives: %v", !row.lives)
			}
			if twice := len(p.PresentedAgain()) == 1; twice != row.replaced {
				t.Errorf("it knows that a token was presented twice: %v", twice)
			}
			if presented := p.Presentations(); len(presented) != 2 || presented[0].Outcome != provider.Accepted {
				t.Errorf("the ledger has %+v", presented)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	gone := start(t, provider.Options{})
	released := make(chan struct{})
	close(released)
	for _, row := range []struct {
		fault provider.Fault
		fails func(answer) bool
	}{
		{provider.FailsBefore(), func(a answer) bool { return a.status == http.StatusInternalServerError }},
		{provider.FailsAfter(), func(a answer) bool { return a.status == http.StatusBadGateway }},
		{provider.Truncates(), func(a answer) bool { return a.status == http.StatusOK && a.broken }},
		{provider.Garbles(), func(a answer) bool { return a.status == http.StatusOK && !a.in }},
		{provider.ResetsUnread(), func(a answer) bool { return a.broken }},
		{provider.ResetsBefore(), func(a answer) bool { return a.broken }},
		{provider.ResetsAfter(), func(a answer) bool { return a.broken }},
		{provider.Waits(released), func(a answer) bool { return a.in }},
		{provider.OmitsExpiresIn(), func(a answer) bool { return a.in }},
		{provider.AnswersForm(), func(a answer) bool { return a.in && a.Access == "" }},
		{provider.Nests("authed_user.tokens"), func(a answer) bool { return a.in && a.Access == "" }},
		{provider.Redirects(gone.URL), func(a answer) bool { return a.redirects }},
		{provider.Refuses("invalid_scope"), func(a answer) bool { return a.Error == "invalid_scope" }},
		{provider.RefusesClient(), func(a answer) bool { return a.Error == "invalid_client" }},
		{provider.EndsGrant(), func(a answer) bool { return a.Error == "invalid_grant" }},
		{provider.TooMany(time.Minute), func(a answer) bool { return a.status == http.StatusTooManyRequests }},
		{provider.Unavailable(time.Minute), func(a answer) bool { return a.Error == "temporarily_unavailable" }},
	} {
		for _, secure := range []bool{false, true} {
			name := "a provider that " + row.fault.Name
			if secure {
				name += ", over TLS"
			}
			t.Run(name, func(t *testing.T) {
				p := start(t, provider.Options{Rotation: provider.Strict, TLS: secure})
				given := p.Give("crm")
				p.Fail(row.fault)
				if got := refresh(t, p, given.Refresh); !row.fails(got) {
					t.Errorf("status %d, error %q, broken off %v", got.status, got.Error, got.broken)
				}
				used := p.Accepted() == 1
				if used != row.fault.Consumes || p.RefreshLive(given.Refresh) == (used || row.fault.Ends) {
					t.Errorf("the refresh token is used: %v", used)
				}
				if after := refresh(t, p, given.Refresh); !used && !row.fault.Ends && after.status != http.StatusOK {
					t.Errorf("the request after it goes wrong too: %d", after.status)
				}
			})
		}
	}
	if len(gone.Requests()) > 0 {
		t.Error("somebody followed a redirect")
	}
}

// TestBreak: it fails until it is mended, whatever was asked for before, and nothing is used meanwhile.
func TestBreak(t *testing.T) {
	for _, row := range []struct {
		fault provider.Fault
		fails func(answer) bool
		// noted is how many presentations it hears of.
		noted int
	}{
		{provider.FailsBefore(), func(a answer) bool { return a.status == http.StatusInternalServerError }, 3},
		{provider.ResetsUnread(), func(a answer) bool { return a.broken }, 0},
	} {
		t.Run("a provider that "+row.fault.Name+", for long", func(t *testing.T) {
			p := start(t, provider.Options{Rotation: provider.Strict})
			given := p.Give("crm")
			p.Break(row.fault)
			for range 3 {
				if got := refresh(t, p, given.Refresh); !row.fails(got) {
					t.Errorf("status %d, broken off %v", got.status, got.broken)
				}
			}
			if !p.RefreshLive(given.Refresh) || len(p.Presentations()) != row.noted {
				t.Errorf("it has seen %+v", p.Presentations())
			}
			p.Mend()
			if got := refresh(t, p, given.Refresh); got.status != http.StatusOK {
				t.Errorf("it is mended, and answers %d", got.status)
			}
		})
	}
}

// TestStalls: an answer that never comes ends with the client's patience.
func TestStalls(t *testing.T) {
	p := start(t, provider.Options{Rotation: provider.Strict})
	given := p.Give("crm")
	p.Fail(provider.Stalls())
	ctx, cancel := context.WithCancel(t.Context())
	p.Watch(func(step provider.Step) {
		if step == provider.Done {
			cancel()
		}
	})
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {given.Refresh}}
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+provider.PathToken, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(provider.ClientID, provider.ClientSecret)
	if response, err := p.Client().Do(request); err == nil {
		_ = response.Body.Close()
		t.Error("it answers")
	}
	if p.Accepted() != 1 {
		t.Error("it did not do what it was asked for")
	}
}

// signIn goes to the authorization endpoint with a library that no one here wrote, and gives where it sends the browser.
func signIn(t *testing.T, p *provider.Provider, verifier string) (*oauth2.Config, url.Values) {
	t.Helper()
	config := &oauth2.Config{
		ClientID: provider.ClientID, ClientSecret: provider.ClientSecret, RedirectURL: "https://us.example/callback",
		Endpoint: oauth2.Endpoint{AuthURL: p.URL + provider.PathAuthorize, TokenURL: p.URL + provider.PathToken, AuthStyle: oauth2.AuthStyleInHeader},
	}
	options := []oauth2.AuthCodeOption{}
	if verifier != "" {
		options = append(options, oauth2.S256ChallengeOption(verifier))
	}
	client := p.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, config.AuthCodeURL("state", options...), http.NoBody)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	to, err := response.Location()
	if err != nil {
		t.Fatalf("it answers %d: %v", response.StatusCode, err)
	}
	return config, to.Query()
}

func TestSignIn(t *testing.T) {
	verifier := oauth2.GenerateVerifier()
	p := start(t, provider.Options{Iss: provider.IssRight, Rotation: provider.Strict})
	config, to := signIn(t, p, verifier)
	if to.Get("state") != "state" || to.Get("iss") != p.URL {
		t.Errorf("it sends the browser back with %v", to["iss"])
	}
	if _, err := config.Exchange(t.Context(), to.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("it takes another verifier")
	}
	tokens, err := config.Exchange(t.Context(), to.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil || !p.AccessLive(tokens.AccessToken) || !p.RefreshLive(tokens.RefreshToken) {
		t.Fatalf("no tokens: %v", err)
	}
	if _, err := config.Exchange(t.Context(), to.Get("code"), oauth2.VerifierOption(verifier)); err == nil || p.RefreshLive(tokens.RefreshToken) {
		t.Error("a code works twice, or the grant lives after that")
	}
	for _, row := range []struct {
		name     string
		change   func(*provider.Options)
		verifier string
		want     string
	}{
		{"a request without a challenge is refused", func(*provider.Options) {}, "", "invalid_request"},
		{"a user who does not agree", func(o *provider.Options) { o.Consent = provider.Denies }, verifier, "access_denied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := start(t, provider.Options{})
			p.Change(row.change)
			if _, to := signIn(t, p, row.verifier); to.Get("error") != row.want || to.Has("iss") {
				t.Errorf("got %q", to.Get("error"))
			}
		})
	}
}
