// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/test/builder"
)

const issuerURL = "https://auth.example.com"

// world is what a token service knows, of which the plugin gets the public keys and reads the objects.
type world struct {
	directory *kube.Directory
	private   *keyring.Ring
	minter    issuer.Minter
	now       time.Time
}

// newWorld has account acme with credential acme.orders (Webhook), and claviger-system.billing (API).
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{directory: &kube.Directory{}, private: newKeys(t), now: noon}
	w.minter = issuer.Minter{
		Issuer: issuerURL,
		Rules:  credential.Rules{ConsoleNamespaces: []string{"claviger-system"}},
		Now:    func() time.Time { return w.now },
		Random: rand.Reader,
	}
	w.directory.Store(builder.Account("acme", builder.UID("1"), builder.Namespaces("acme")))
	w.directory.Store(builder.ClientCredential("acme", "orders", builder.UID("2"), builder.ForAccount("acme"), builder.TokenMinutes(60)))
	w.directory.Store(builder.ClientCredential("claviger-system", "billing", builder.UID("3")))
	return w
}

func newKeys(t *testing.T) *keyring.Ring {
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

// mint gives a token of a client, as the token service would.
func (w *world) mint(t *testing.T, clientID string) issuer.Grant {
	t.Helper()
	subject, found := w.directory.Subject(clientID)
	if !found {
		t.Fatalf("no client %s", clientID)
	}
	grant, err := w.minter.Mint(w.private, subject, nil, []string{w.minter.Issuer}, "")
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

// service judges with nothing but the public keys.
func (w *world) service(t *testing.T) *issuer.Service {
	t.Helper()
	published := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write(w.private.JWKS()) }))
	defer published.Close()
	ring, err := fetchKeys(t.Context(), endpoint{url: published.URL})
	if err != nil {
		t.Fatal(err)
	}
	minter := w.minter
	minter.Random = nil // nobody issues here
	return &issuer.Service{Minter: minter, Directory: w.directory, Keys: publicKeys{ring: ring}}
}

var (
	webhook = issuer.Need{Scopes: []string{"Webhook"}, Accounts: []string{"acme"}}
	mcp     = issuer.Need{Scopes: []string{"MCP"}, Accounts: []string{"acme"}}
	other   = issuer.Need{Scopes: []string{"Webhook"}, Accounts: []string{"beta"}}
)

// TestJudge: a token of acme.orders is taken, something happens, and the token is shown at a place.
func TestJudge(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(*world)
		need   issuer.Need
		status int
		failed stage
		why    string
	}{
		{"nothing happens", func(*world) {}, webhook, 200, good, ""},
		{"it expires", func(w *world) { w.now = noon.Add(time.Hour) }, webhook, 401, genuine, "expired"},
		{"the token service has other keys", func(w *world) { w.private = newKeys(t) }, webhook, 401, genuine, "no key of that kid"},
		{"another issuer is trusted", func(w *world) { w.minter.Issuer += ".example" }, webhook, 401, genuine, "issuer"},
		{
			"its credential is deleted",
			func(w *world) { w.directory.Forget(builder.ClientCredential("acme", "orders")) }, webhook, 401, known, "no such client",
		},
		{
			"its credential is suspended",
			func(w *world) {
				w.directory.Store(builder.ClientCredential("acme", "orders", builder.UID("2"), builder.ForAccount("acme"), builder.Suspended()))
			}, webhook, 401, allowed, "Suspended: spec.suspend is true",
		},
		{
			"its account no longer allows the namespace",
			func(w *world) { w.directory.Store(builder.Account("acme", builder.UID("1"))) }, webhook, 401, allowed, "NamespaceNotAllowed",
		},
		{
			"its credential is created anew",
			func(w *world) {
				w.directory.Store(builder.ClientCredential("acme", "orders", builder.UID("22"), builder.ForAccount("acme")))
			}, webhook, 401, alive, "not the one the token was issued for",
		},
		{
			"all tokens of its time are revoked",
			func(w *world) {
				w.directory.Store(builder.ClientCredential("acme", "orders", builder.UID("2"), builder.ForAccount("acme"),
					builder.RevokeTokensBefore(noon.Add(time.Second))))
			}, webhook, 401, alive, "of that time are revoked",
		},
		{"it is shown at an MCP server", func(*world) {}, mcp, 403, fitting, "does not have the scope"},
		{"it is shown at another account's webhook", func(*world) {}, other, 401, fitting, "another account's"},
		{"it is shown at the API", func(*world) {}, issuer.Need{Scopes: []string{"API"}}, 401, fitting, "of the other level"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			token := w.mint(t, "acme.orders").AccessToken
			row.happen(w)
			expectVerdict(t, judge(w.service(t), token, row.need), row.status, row.failed, row.why)
		})
	}
	t.Run("it is revoked", func(t *testing.T) {
		w := newWorld(t)
		grant := w.mint(t, "acme.orders")
		w.directory.Store(&v1alpha1.RevokedToken{Spec: v1alpha1.RevokedTokenSpec{TokenID: grant.TokenID}})
		expectVerdict(t, judge(w.service(t), grant.AccessToken, webhook), 401, alive, "revoked")
	})
	t.Run("it is no token at all", func(t *testing.T) {
		expectVerdict(t, judge(newWorld(t).service(t), "a.b.c", webhook), 401, genuine, "malformed")
	})
}

func expectVerdict(t *testing.T, v verdict, status int, failed stage, why string) {
	t.Helper()
	if got, _ := v.status(); got != status || v.failed != failed {
		t.Fatalf("got %d at stage %d: %v", got, v.failed, v.err)
	}
	if v.err == nil {
		return
	}
	if !strings.Contains(v.why(), why) {
		t.Errorf("got %q", v.why())
	}
	if text := v.advice(); !strings.HasSuffix(text, ".") {
		t.Errorf("the advice is %q", text)
	}
}

func TestTellVerdict(t *testing.T) {
	w := newWorld(t)
	token := w.mint(t, "acme.orders").AccessToken
	by := trusted{issuer: issuerURL, because: "Secret orders"}
	w.directory.Store(builder.ProtectedResource("acme", "tools", "https://mcp.acme.example/mcp", builder.OfAccount("acme"), builder.RequiringAudience()))
	tools, err := w.service(t).ResourceNeed("acme/tools")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		need issuer.Need
		seen *live
		want string
	}{
		{"admitted", webhook, &live{}, `
200 OK: good here until 2026-11-24T13:00:00Z (in 60m)
  yes  signed by https://auth.example.com (Secret orders), and not expired
  yes  its client acme.orders exists
  yes  the rules allow the client
  yes  neither it nor what it stands on has been revoked or replaced
  yes  it is good for a place that needs Webhook and concerns account acme
`},
		{"refused by a registered place", tools, &live{}, `
401 Unauthorized: invalid_token
  yes  signed by https://auth.example.com (Secret orders), and not expired
  yes  its client acme.orders exists
  yes  the rules allow the client
  yes  neither it nor what it stands on has been revoked or replaced
  NO   it is good for acme/tools at https://mcp.acme.example/mcp, which needs Webhook and concerns account acme
       the token is for another place
Take a token of the right credential: a place has a level and an account, and so has a token.
`},
		{"refused", mcp, &live{unseen: []string{"revoked tokens, in namespace claviger-system"}}, `
403 Forbidden: insufficient_scope
  yes  signed by https://auth.example.com (Secret orders), and not expired
  yes  its client acme.orders exists
  yes  the rules allow the client
  yes  neither it nor what it stands on has been revoked or replaced
  NO   it is good for a place that needs MCP and concerns account acme
       the token does not have the scope that is needed here
Take a token that reaches this far. A scope must be in spec.scopes of the credential; a restriction is asked for with the token.
Not taken into account, because you may not see them: revoked tokens, in namespace claviger-system
`},
	} {
		t.Run(row.name, func(t *testing.T) {
			session, out := testSession()
			command := &verifyCommand{session: session}
			command.tell(judge(w.service(t), token, row.need), by, row.seen, row.need)
			expectText(t, out.String(), row.want)
		})
	}
	t.Run("refused at the first stage", func(t *testing.T) {
		session, out := testSession()
		command := &verifyCommand{session: session}
		need := issuer.Need{Scopes: []string{"API"}}
		command.tell(judge(w.service(t), "a.b.c", need), by, &live{}, need)
		expectText(t, out.String(), `
401 Unauthorized: invalid_token
  NO   signed by https://auth.example.com (Secret orders), and not expired
       verifying a token: token is malformed
  -    its client <none> exists
  -    the rules allow the client
  -    neither it nor what it stands on has been revoked or replaced
  -    it is good for a place that needs API
Take a new token. Where new ones are refused too, make sure that they come from this token service.
`)
	})
}

// TestFetchKeys: what is no set of keys is refused, and not repeated.
func TestFetchKeys(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"keys that are not loaded yet", 503, `{"error":"server_error"}`, "status 503"},
		{"a page of a proxy", 200, "<html>", "not a JSON Web Key Set"},
		{"an empty set", 200, `{"keys":[]}`, "no key for ES256"},
	} {
		t.Run(row.name, func(t *testing.T) {
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}))
			defer service.Close()
			if _, err := fetchKeys(t.Context(), endpoint{url: service.URL}); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNextSecond(t *testing.T) {
	for at, want := range map[time.Time]time.Time{
		noon:                      noon.Add(time.Second),
		noon.Add(time.Nanosecond): noon.Add(time.Second),
		noon.Add(-time.Nanosecond).In(time.FixedZone("", 3600)): noon,
	} {
		if got := nextSecond(at); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%v: got %v", at, got)
		}
	}
}
