// SPDX-License-Identifier: Apache-2.0

package thirdparty_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/claviger/claviger/internal/sandbox/thirdparty"
)

// fixture is an application with a clock of its own, and a client that somebody else wrote.
type fixture struct {
	*thirdparty.Application
	clock  *atomic.Int64
	client oauth2.Config
	http   *http.Client
}

func start(t *testing.T) fixture {
	t.Helper()
	clock := &atomic.Int64{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	application := thirdparty.New(listener, "http://127.0.0.1:1/callback/", func() time.Time { return time.Unix(clock.Load(), 0) })
	go func() { _ = application.Serve(t.Context()) }()
	return fixture{
		Application: application, clock: clock,
		client: oauth2.Config{
			ClientID: thirdparty.ClientID, ClientSecret: thirdparty.ClientSecret, RedirectURL: "http://127.0.0.1:1/callback/crm", Scopes: []string{"contacts"},
			Endpoint: oauth2.Endpoint{AuthURL: application.Issuer() + thirdparty.PathAuthorize, TokenURL: application.Issuer() + thirdparty.PathToken},
		},
		http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

const verifier = "a-verifier-of-forty-three-characters-or-more"

// signIn has a user sign in, and gives what comes back.
func (f fixture) signIn(t *testing.T, allow string) url.Values {
	t.Helper()
	asked, err := url.Parse(f.client.AuthCodeURL("a-state", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	if page := f.get(t, asked.String(), ""); page.StatusCode != http.StatusOK {
		t.Fatalf("the page: got %d", page.StatusCode)
	}
	form := asked.Query()
	form.Set(thirdparty.FieldUser, "jane")
	form.Set(thirdparty.FieldAllow, allow)
	response, err := f.http.PostForm(f.Issuer()+thirdparty.PathAuthorize, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	back, err := response.Location()
	if err != nil || !strings.HasPrefix(back.String(), f.client.RedirectURL+"?") {
		t.Fatalf("got %s, %v", back, err)
	}
	return back.Query()
}

func (f fixture) exchange(t *testing.T) *oauth2.Token {
	t.Helper()
	token, err := f.client.Exchange(t.Context(), f.signIn(t, "yes").Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (f fixture) refresh(t *testing.T, refresh string) (*oauth2.Token, error) {
	t.Helper()
	return f.client.TokenSource(t.Context(), &oauth2.Token{RefreshToken: refresh}).Token()
}

func (f fixture) get(t *testing.T, address, token string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := f.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func (f fixture) accepts(t *testing.T, token string) bool {
	t.Helper()
	return f.get(t, f.Issuer()+thirdparty.PathMe, token).StatusCode == http.StatusOK
}

func TestSignInAndRefresh(t *testing.T) {
	f := start(t)
	first := f.exchange(t)
	if got, _ := io.ReadAll(f.get(t, f.Issuer()+thirdparty.PathMe, first.AccessToken).Body); !strings.Contains(string(got), `"user":"jane"`) {
		t.Errorf("got %s", got)
	}
	second, err := f.refresh(t, first.RefreshToken)
	if err != nil || second.AccessToken == first.AccessToken || second.RefreshToken == first.RefreshToken {
		t.Fatalf("got %v", err)
	}
	if !f.accepts(t, first.AccessToken) || !f.accepts(t, second.AccessToken) {
		t.Error("a token that has not expired is refused")
	}
	f.clock.Add(int64(thirdparty.TokenLifetime / time.Second))
	if f.accepts(t, second.AccessToken) {
		t.Error("a token that has expired is accepted")
	}
	third, err := f.refresh(t, second.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.refresh(t, second.RefreshToken); err == nil {
		t.Error("a refresh token works twice")
	}
	if _, err := f.refresh(t, third.RefreshToken); err == nil || f.accepts(t, third.AccessToken) {
		t.Error("the grant has outlived a refresh token that was used twice")
	}
}

func TestRefusal(t *testing.T) {
	f := start(t)
	if got := f.signIn(t, "no"); got.Get("error") != "access_denied" || got.Get("code") != "" || got.Get("state") != "a-state" || got.Get("iss") != f.Issuer() {
		t.Errorf("a user who refuses: got %v", got)
	}
	code := f.signIn(t, "yes").Get("code")
	if _, err := f.client.Exchange(t.Context(), code, oauth2.VerifierOption("another")); err == nil {
		t.Error("a code is good for whoever has it")
	}
	if _, err := f.client.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code is good after a failure")
	}
	other := f
	other.client.ClientSecret = "another"
	if _, err := other.client.Exchange(t.Context(), f.signIn(t, "yes").Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a wrong client secret will do")
	}
	for name, change := range map[string]string{"redirect_uri": "http://evil.example/", "client_id": "another", "code_challenge": "", "response_type": "token"} {
		asked, err := url.Parse(f.client.AuthCodeURL("a-state", oauth2.S256ChallengeOption(verifier)))
		if err != nil {
			t.Fatal(err)
		}
		query := asked.Query()
		query.Set(name, change)
		asked.RawQuery = query.Encode()
		if got := f.get(t, asked.String(), "").StatusCode; got != http.StatusBadRequest {
			t.Errorf("%s=%s: got %d", name, change, got)
		}
	}
}

func TestRevocation(t *testing.T) {
	f := start(t)
	token := f.exchange(t)
	form := url.Values{"token": {token.RefreshToken}, "client_id": {thirdparty.ClientID}, "client_secret": {thirdparty.ClientSecret}}
	response, err := f.http.PostForm(f.Issuer()+thirdparty.PathRevoke, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || f.accepts(t, token.AccessToken) {
		t.Errorf("got %d, or the token still works", response.StatusCode)
	}
}

func TestMetadata(t *testing.T) {
	f := start(t)
	var said map[string]any
	if err := json.NewDecoder(f.get(t, f.Issuer()+thirdparty.PathMetadata, "").Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	if said["issuer"] != f.Issuer() || said["token_endpoint"] != f.client.Endpoint.TokenURL || said["authorization_endpoint"] != f.client.Endpoint.AuthURL {
		t.Errorf("got %v", said)
	}
}
