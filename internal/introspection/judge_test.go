// SPDX-License-Identifier: Apache-2.0

package introspection_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/introspection"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/token"
)

const (
	issuerURL = "https://auth.example.com"
	mcp       = "https://mcp.acme.example/mcp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// keys are the issuer's, with fresh ones that come when they are asked for.
type keys struct{ now, fresh atomic.Pointer[keyring.Ring] }

func (k *keys) Ring() (*keyring.Ring, bool) { return k.now.Load(), k.now.Load() != nil }

func (k *keys) Ask(context.Context) bool {
	fresh := k.fresh.Load()
	if fresh == nil {
		return false
	}
	k.now.Store(fresh)
	return true
}

// world is a judge and the issuer that it asks, which answers as a test says.
type world struct {
	*introspection.Judge
	keys   keys
	ring   *keyring.Ring
	dir    string
	offset atomic.Int64
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
	seen   atomic.Pointer[http.Request]
}

func newRing(t *testing.T) *keyring.Ring {
	t.Helper()
	key, err := keyring.Generate(keyring.AlgorithmES256, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.NewRing(key)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func newWorld(t *testing.T, changes ...func(*introspection.Options)) *world {
	t.Helper()
	w := &world{ring: newRing(t), dir: t.TempDir()}
	w.keys.now.Store(w.ring)
	w.write(t, "client_id", "acme.gate")
	w.write(t, "client_secret", "s3cret-0123456789\n")
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		_ = r.ParseForm()
		w.seen.Store(r)
		(*w.answer.Load())(response, r)
	}))
	t.Cleanup(server.Close)
	options := introspection.Options{
		Issuer: issuerURL,
		Client: &introspection.Client{
			URL: server.URL, HTTP: outbound.NewClient("", 5*time.Second), Credentials: introspection.Credentials{Dir: w.dir},
		},
		Keys: &w.keys, Remember: time.Second, Metrics: introspection.NewMetrics(prometheus.NewRegistry()),
		Now: func() time.Time { return noon.Add(time.Duration(w.offset.Load())) },
	}
	for _, change := range changes {
		change(&options)
	}
	w.Judge = introspection.NewJudge(options)
	w.says(claims(), nil)
	return w
}

func (w *world) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) advance(by time.Duration) { w.offset.Add(int64(by)) }

func (w *world) answers(handler http.HandlerFunc) { w.answer.Store(&handler) }

// says has the issuer tell of an active token, after a change.
func (w *world) says(c token.Claims, change func(map[string]any)) {
	told := map[string]any{
		"active": true, "scope": c.Scope, "client_id": c.ClientID, "account": c.Account, "iss": issuerURL, "jti": c.ID, "exp": c.ExpiresAt.Unix(),
	}
	if change != nil {
		change(told)
	}
	body, _ := json.Marshal(told)
	w.answers(func(response http.ResponseWriter, _ *http.Request) { _, _ = response.Write(body) })
}

func claims() token.Claims {
	return token.Claims{
		ID: "id", ClientID: "acme.orders", Audience: []string{issuerURL}, Scope: "Webhook MCP", Account: "acme", Incarnation: "x",
		IssuedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
}

func (w *world) mint(t *testing.T, c token.Claims) string {
	t.Helper()
	raw, err := token.Mint(issuerURL, w.ring, c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func webhook() issuer.Need {
	return issuer.Need{Scopes: oauth.Scopes{"Webhook"}, Accounts: []string{"acme"}}
}

func codeOf(err error) string {
	var failure *oauth.Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

func TestAuthorize(t *testing.T) {
	console := claims()
	console.Scope, console.Account, console.ClientID = "API", "", "platform.console"
	foreign := claims()
	foreign.Audience = []string{mcp}
	resource := func(requireAudience bool) issuer.Need {
		need := webhook()
		need.Resource = &credential.Resource{URL: mcp, ID: mcp, AccountID: "acme", RequireAudience: requireAudience}
		return need
	}
	inactive := func(told map[string]any) {
		clear(told)
		told["active"] = false
	}
	for _, row := range []struct {
		name   string
		claims token.Claims
		need   issuer.Need
		change func(map[string]any)
		want   string
	}{
		{"a token for its place", claims(), webhook(), nil, ""},
		{"a scope that was taken away", claims(), webhook(), func(told map[string]any) { told["scope"] = "MCP" }, oauth.CodeInsufficientScope},
		{"another account's place", claims(), issuer.Need{Scopes: oauth.Scopes{"Webhook"}, Accounts: []string{"other"}}, nil, oauth.CodeInvalidToken},
		{"a place of the console", claims(), issuer.Need{Scopes: oauth.Scopes{"API"}}, nil, oauth.CodeInvalidToken},
		{"a console-level token there", console, issuer.Need{Scopes: oauth.Scopes{"API"}}, nil, ""},
		{"a console-level token at an account's place", console, webhook(), nil, oauth.CodeInvalidToken},
		{"a guard that names no scope", claims(), issuer.Need{}, nil, oauth.CodeInsufficientScope},
		{"a token for a resource, where none is named", foreign, webhook(), nil, oauth.CodeInvalidToken},
		{"a token for the resource", foreign, resource(true), nil, ""},
		{"a token for no resource in particular", claims(), resource(false), nil, ""},
		{"the same where that will not do", claims(), resource(true), nil, oauth.CodeInvalidToken},
		{"a token that is not active", claims(), webhook(), inactive, oauth.CodeInvalidToken},
		{"an answer about another token", claims(), webhook(), func(told map[string]any) { told["jti"] = "other" }, oauth.CodeServerError},
		{"an answer about another client", claims(), webhook(), func(told map[string]any) { told["client_id"] = "acme.other" }, oauth.CodeServerError},
		{"an answer about another account", claims(), webhook(), func(told map[string]any) { told["account"] = "other" }, oauth.CodeServerError},
		{"another issuer's answer", claims(), webhook(), func(told map[string]any) { told["iss"] = "https://b" }, oauth.CodeServerError},
		{"a scope that no scope can be", claims(), webhook(), func(told map[string]any) { told["scope"] = `"` }, oauth.CodeServerError},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.says(row.claims, row.change)
			raw := w.mint(t, row.claims)
			access, err := w.Authorize(t.Context(), raw, row.need)
			if codeOf(err) != row.want {
				t.Fatalf("got %v", err)
			}
			if err == nil && (access.ClientID != row.claims.ClientID || access.AccountID != row.claims.Account || !access.ExpiresAt.Equal(noon.Add(time.Hour))) {
				t.Errorf("got %+v", access)
			}
			seen := w.seen.Load()
			if seen.PostForm.Get("token") != raw || seen.PostForm.Get("client_id") != "acme.gate" || seen.PostForm.Get("client_secret") != "s3cret-0123456789" || seen.URL.RawQuery != "" {
				t.Error("the question is not one of RFC 7662")
			}
		})
	}
}

// TestWhatIsNotGenuineIsNotAskedAbout: whoever makes tokens up cannot have the issuer asked.
func TestWhatIsNotGenuineIsNotAskedAbout(t *testing.T) {
	w := newWorld(t)
	expired, future := claims(), claims()
	expired.ExpiresAt = noon
	future.IssuedAt = noon.Add(time.Hour)
	own := w.ring
	w.ring = newRing(t)
	unknown := w.mint(t, claims())
	w.ring = own
	for name, raw := range map[string]string{
		"nonsense": "nonsense", "of a key that is not the issuer's": unknown, "tampered with": w.mint(t, claims()) + "A",
		"expired": w.mint(t, expired), "from the future": w.mint(t, future),
	} {
		if _, err := w.Authorize(t.Context(), raw, webhook()); codeOf(err) != oauth.CodeInvalidToken {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if w.asked.Load() != 0 {
		t.Errorf("the issuer was asked %d times", w.asked.Load())
	}
}

func TestKeysAreFollowed(t *testing.T) {
	w := newWorld(t)
	w.ring = newRing(t)
	raw := w.mint(t, claims())
	if _, err := w.Authorize(t.Context(), raw, webhook()); codeOf(err) != oauth.CodeInvalidToken {
		t.Fatalf("got %v", err)
	}
	w.keys.fresh.Store(w.ring)
	if _, err := w.Authorize(t.Context(), raw, webhook()); err != nil {
		t.Errorf("with fresh keys: %v", err)
	}
	w.keys.now.Store(nil)
	if _, err := w.Authorize(t.Context(), raw, webhook()); codeOf(err) != oauth.CodeServerError {
		t.Errorf("without keys: %v", err)
	}
}

// TestAnAnswerHoldsForAMoment, a refusal too.
func TestAnAnswerHoldsForAMoment(t *testing.T) {
	for _, row := range []struct {
		name     string
		remember time.Duration
		after    time.Duration
		asked    int64
	}{
		{"at once", time.Second, 0, 1},
		{"just before its time is up", time.Second, time.Second - 1, 1},
		{"when its time is up", time.Second, time.Second, 2},
		{"when the clock was set back", time.Second, -time.Minute, 2},
		{"where nothing is remembered", 0, 0, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, func(o *introspection.Options) { o.Remember = row.remember })
			raw := w.mint(t, claims())
			if _, err := w.Authorize(t.Context(), raw, webhook()); err != nil {
				t.Fatal(err)
			}
			w.answers(func(response http.ResponseWriter, _ *http.Request) { _, _ = response.Write([]byte(`{"active":false}`)) })
			w.advance(row.after)
			_, err := w.Authorize(t.Context(), raw, webhook())
			if w.asked.Load() != row.asked || (err != nil) != (row.asked == 2) {
				t.Errorf("asked %d times, got %v", w.asked.Load(), err)
			}
		})
	}
}

func TestManyWaitForOneAnswer(t *testing.T) {
	w := newWorld(t)
	good, arrived, proceed := *w.answer.Load(), make(chan struct{}), make(chan struct{})
	w.answers(func(response http.ResponseWriter, r *http.Request) {
		close(arrived) // twice would panic
		<-proceed
		good(response, r)
	})
	raw := w.mint(t, claims())
	var group sync.WaitGroup
	var admitted atomic.Int64
	ask := func() {
		if _, err := w.Authorize(t.Context(), raw, webhook()); err == nil {
			admitted.Add(1)
		}
	}
	group.Go(ask)
	<-arrived
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Authorize(gone, raw, webhook()); codeOf(err) != oauth.CodeServerError {
		t.Errorf("who has gone does not wait: %v", err)
	}
	for range 20 {
		group.Go(ask)
	}
	close(proceed)
	group.Wait()
	if admitted.Load() != 21 || w.asked.Load() != 1 {
		t.Errorf("%d were admitted, by %d questions", admitted.Load(), w.asked.Load())
	}
}

// TestTheIssuerIsAway: nobody is admitted, and it is left alone for longer and longer.
func TestTheIssuerIsAway(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"it fails":                       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"it is over its budget":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"it refuses our own credentials": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"it says what is not JSON":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"it says without end":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) },
		"it breaks off":                  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"it sends us elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			raw := w.mint(t, claims())
			good := *w.answer.Load()
			w.answers(answer)
			deny := func(asked int64) {
				t.Helper()
				_, err := w.Authorize(t.Context(), raw, webhook())
				if codeOf(err) != oauth.CodeServerError || w.asked.Load() != asked {
					t.Fatalf("got %v after %d questions, want %d", err, w.asked.Load(), asked)
				}
				if strings.Contains(err.Error(), raw) || strings.Contains(err.Error(), "s3cret") {
					t.Error("the error holds a secret")
				}
			}
			deny(1)
			deny(1)
			w.advance(500*time.Millisecond - 1)
			deny(1)
			w.advance(1)
			deny(2)
			w.advance(500 * time.Millisecond)
			deny(2) // it rests for twice as long
			w.advance(500 * time.Millisecond)
			w.answers(good)
			if _, err := w.Authorize(t.Context(), raw, webhook()); err != nil {
				t.Errorf("it is back: %v", err)
			}
		})
	}
}

func TestOurOwnCredentials(t *testing.T) {
	t.Run("are read for every question", func(t *testing.T) {
		w := newWorld(t, func(o *introspection.Options) { o.Remember = 0 })
		raw := w.mint(t, claims())
		_, _ = w.Authorize(t.Context(), raw, webhook())
		w.write(t, "client_secret", "rotated")
		_, err := w.Authorize(t.Context(), raw, webhook())
		if err != nil || w.seen.Load().PostForm.Get("client_secret") != "rotated" {
			t.Errorf("a rotation was not followed: %v", err)
		}
	})
	t.Run("may be a ServiceAccount's token", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte("a.b.c"), 0o600); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, func(o *introspection.Options) { o.Client.Credentials = introspection.Credentials{TokenFile: file} })
		if _, err := w.Authorize(t.Context(), w.mint(t, claims()), webhook()); err != nil {
			t.Fatal(err)
		}
		if seen := w.seen.Load(); seen.Header.Get("Authorization") != "Bearer a.b.c" || seen.PostForm.Has("client_id") {
			t.Error("it is not presented as a bearer token")
		}
	})
	for name, spoil := range map[string]func(*testing.T, *world){
		"that are missing": func(_ *testing.T, w *world) { _ = os.Remove(filepath.Join(w.dir, "client_secret")) },
		"that are empty":   func(t *testing.T, w *world) { w.write(t, "client_secret", "\n") },
	} {
		t.Run(name+" admit nobody", func(t *testing.T) {
			w := newWorld(t)
			spoil(t, w)
			if _, err := w.Authorize(t.Context(), w.mint(t, claims()), webhook()); codeOf(err) != oauth.CodeServerError || w.asked.Load() != 0 {
				t.Errorf("got %v after %d questions", err, w.asked.Load())
			}
			if (introspection.Credentials{Dir: w.dir}).Check() == nil {
				t.Error("they pass for good ones at the start")
			}
		})
	}
}
