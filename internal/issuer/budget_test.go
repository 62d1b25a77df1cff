// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/test/builder"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
	three = limit.Budget{Burst: 3, Every: 10 * time.Second}
)

// from presents a client from an address.
func from(source netip.Addr, idsAndSecrets ...string) oauth.ClientAuthentication {
	client := presented(idsAndSecrets...)
	client.Source = source
	return client
}

// answer gives the code of what a client gets at the token endpoint.
func (w *world) answer(client oauth.ClientAuthentication) string {
	_, err := w.Issue(oauth.TokenRequest{Client: client})
	return codeOf(err)
}

func TestFailureBudget(t *testing.T) {
	const orders = "acme.orders"
	guess := func(w *world, n int, source netip.Addr, idsAndSecrets ...string) {
		for range n {
			w.answer(from(source, idsAndSecrets...))
		}
	}
	for _, row := range []struct {
		name  string
		spend func(*world)
		// want is the answer to the right secret from here.
		want string
	}{
		{"nothing is spent", func(*world) {}, ""},
		{"wrong secrets within the budget", func(w *world) { guess(w, 2, here, orders, "x") }, ""},
		{"wrong secrets beyond it keep out the right one too", func(w *world) { guess(w, 3, here, orders, "x") }, oauth.CodeTemporarilyUnavailable},
		{"wrong secrets from elsewhere", func(w *world) { guess(w, 3, there, orders, "x") }, ""},
		{"right secrets cost nothing", func(w *world) { guess(w, 100, here, orders, orders) }, ""},
		{"a client that is not allowed costs as much as one that is wrong", func(w *world) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.Suspended())
			guess(w, 3, here, orders, orders)
			w.credential("acme", "orders", builder.ForAccount("acme"))
		}, oauth.CodeTemporarilyUnavailable},
		{"a client that does not exist yet costs as much", func(w *world) {
			w.directory.Forget(builder.ClientCredential("acme", "orders"))
			guess(w, 3, here, orders, orders)
			w.credential("acme", "orders", builder.ForAccount("acme"))
		}, oauth.CodeTemporarilyUnavailable},
		{"a name that hides in a form-encoded one is found", func(w *world) { guess(w, 3, here, "acme%2Eorders", "x", orders, "x") }, oauth.CodeTemporarilyUnavailable},
		{"a scope that cannot be granted costs nothing", func(w *world) {
			for range 10 {
				_, _ = w.Issue(oauth.TokenRequest{Client: from(here, orders, orders), Scopes: oauth.Scopes{"MCP"}})
			}
		}, ""},
		{"a failure of ours costs nothing", func(w *world) {
			w.Keys = &kube.Keys{}
			guess(w, 10, here, orders, orders)
			w.Keys = w.keys
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.budgets(limit.FailureBudgets{Pair: three}, limit.Budget{})
			row.spend(w)
			if got := w.answer(from(here, orders, orders)); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// count counts digests: each is made at a time that is asked for.
func (w *world) count(t *testing.T, do func()) int {
	t.Helper()
	digests, now := 0, w.Now
	w.Now = func() time.Time { digests++; return now() }
	do()
	w.Now = now
	return digests
}

// TestEqualWork: whatever is wrong with a client costs one digest for each reading of what it presented, so that no clock tells
// which clients exist. Over budget, all cost none.
func TestEqualWork(t *testing.T) {
	for _, row := range []struct {
		name     string
		client   oauth.ClientAuthentication
		suspends bool
		digests  int
	}{
		{"an unknown client", from(here, "acme.nobody", "x"), false, 1},
		{"an unknown client in two readings", from(here, "acme.nobody", "x", "nobody", "x"), false, 2},
		{"a wrong secret", from(here, "acme.orders", "x"), false, 1},
		{"a wrong secret in two readings", from(here, "acme.orders", "x", "acme.orders", "y"), false, 2},
		{"a wrong secret of a known client and of an unknown one", from(here, "acme.orders", "x", "nobody", "x"), false, 2},
		{"a suspended client", from(here, "acme.orders", "acme.orders"), true, 1},
		{"a suspended client with a wrong secret", from(here, "acme.orders", "x"), true, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.budgets(limit.FailureBudgets{Pair: limit.Budget{Burst: 1, Every: time.Minute}}, limit.Budget{})
			if row.suspends {
				w.credential("acme", "orders", builder.ForAccount("acme"), builder.Suspended())
			}
			for _, want := range []struct {
				code    string
				digests int
			}{{oauth.CodeInvalidClient, row.digests}, {oauth.CodeTemporarilyUnavailable, 0}} {
				var code string
				digests := w.count(t, func() { code = w.answer(row.client) })
				if code != want.code || digests != want.digests {
					t.Errorf("got %s after %d digests, want %s after %d", code, digests, want.code, want.digests)
				}
			}
		})
	}
}

// TestOverBudget: the answer is one and the same for every client, also the time to wait, and the audit log knows whom it was
// about.
func TestOverBudget(t *testing.T) {
	answers := map[oauth.Error]bool{}
	for _, row := range []struct{ name, clientID, secret, knownAs string }{
		{"a wrong secret", "acme.orders", "x", "acme.orders"},
		{"the right secret", "acme.orders", "acme.orders", "acme.orders"},
		{"an unknown client", "acme.nobody", "x", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.budgets(limit.FailureBudgets{Pair: three}, limit.Budget{})
			for range 3 {
				w.answer(from(here, row.clientID, "x"))
			}
			grant, err := w.Issue(oauth.TokenRequest{Client: from(here, row.clientID, row.secret)})
			var refusal *oauth.Error
			if !errors.As(err, &refusal) || grant.ClientID != row.knownAs || grant.AccessToken != "" {
				t.Fatalf("got %+v, %v", grant, err)
			}
			answers[oauth.Error{Code: refusal.Code, Description: refusal.Description, RetryAfter: refusal.RetryAfter}] = true
		})
	}
	want := oauth.Error{Code: "temporarily_unavailable", Description: "too many failed client authentications", RetryAfter: 10 * time.Second}
	if len(answers) != 1 || !answers[want] {
		t.Errorf("got the answers %v", answers)
	}
}

// TestRevocationBudget: what writes counts, and nothing else does.
func TestRevocationBudget(t *testing.T) {
	b := &book{world: newWorld(t)}
	b.Revoker = b
	b.budgets(limit.FailureBudgets{}, three)
	revoke := func(clientID, raw string) string {
		_, err := b.Service.Revoke(t.Context(), oauth.RevocationRequest{Client: presented(clientID, clientID), Token: raw})
		return codeOf(err)
	}
	token := func(clientID string) string { return b.issue(t, clientID).AccessToken }
	first := token("acme.orders")
	for _, row := range []struct{ name, client, token, want string }{
		{"the first", "acme.orders", first, ""},
		{"the first again, which writes nothing", "acme.orders", first, ""},
		{"no token at all", "acme.orders", "x", ""},
		{"a token of another client", "acme.orders", token("acme.agents"), oauth.CodeInvalidGrant},
		{"the second", "acme.orders", token("acme.orders"), ""},
		{"the third", "acme.orders", token("acme.orders"), ""},
		{"the fourth", "acme.orders", token("acme.orders"), oauth.CodeTemporarilyUnavailable},
		{"the first once more", "acme.orders", first, ""},
		{"one of another client", "acme.agents", token("acme.agents"), ""},
	} {
		if got := revoke(row.client, row.token); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if len(b.written) != 4 {
		t.Errorf("%d tokens were revoked", len(b.written))
	}
	b.now = b.now.Add(10 * time.Second)
	if got := revoke("acme.orders", token("acme.orders")); got != "" {
		t.Errorf("after ten seconds: %s", got)
	}
}
