// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"crypto/rand"
	"sync"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

// TestRestriction holds account:{accountID} to docs/endpoints.md, "Scopes": a token is restricted to one account, and what
// cannot be kept is an error; a restriction is never dropped silently.
func TestRestriction(t *testing.T) {
	for _, row := range []struct {
		name    string
		client  string
		asked   []string
		change  func(*world)
		scopes  string
		account string
	}{
		{name: "the console without a restriction has no account", client: "platform.console", asked: []string{"API"}, scopes: "API"},
		{name: "the console may be restricted to an account", client: "platform.console", asked: []string{"API", "account:acme"}, scopes: "API account:acme", account: "acme"},
		{name: "the order has no meaning", client: "platform.console", asked: []string{"account:acme", "API"}, scopes: "API account:acme", account: "acme"},
		{name: "a restriction alone restricts all scopes", client: "platform.console", asked: []string{"account:beta"}, scopes: "API account:beta", account: "beta"},
		{name: "a restriction survives an intersection", client: "platform.console", asked: []string{"API", "MCP", "account:acme"}, scopes: "API account:acme", account: "acme"},
		{name: "a restriction does not help an empty intersection", client: "platform.console", asked: []string{"MCP", "account:acme"}},
		{name: "two accounts are refused", client: "platform.console", asked: []string{"API", "account:acme", "account:beta"}},
		{name: "an account that does not exist is refused", client: "platform.console", asked: []string{"API", "account:nobody"}},
		{name: "an empty account is refused", client: "platform.console", asked: []string{"API", "account:"}},
		{name: "letter case matters in the account", client: "platform.console", asked: []string{"API", "account:Acme"}},
		{name: "another prefix is no restriction and not a scope of the client", client: "platform.console", asked: []string{"Account:acme"}},
		{name: "a namespaced name is not an account", client: "platform.console", asked: []string{"account:acme.orders"}},
		{
			name: "a suspended account is refused", client: "platform.console", asked: []string{"API", "account:acme"},
			change: func(w *world) { w.account("acme", builder.Suspended()) },
		},
		{
			name: "an account that is being deleted is refused", client: "platform.console", asked: []string{"API", "account:acme"},
			change: func(w *world) { w.account("acme", builder.Deleting(noon)) },
		},
		{
			name: "an account that was deleted is refused", client: "platform.console", asked: []string{"API", "account:acme"},
			change: func(w *world) { w.directory.Forget(builder.Account("acme")) },
		},
		{
			name: "the account need not allow the console's namespace", client: "platform.console", asked: []string{"API", "account:empty"},
			change: func(w *world) { w.account("empty") }, scopes: "API account:empty", account: "empty",
		},

		{name: "an account's client always has its account", client: "acme.orders", scopes: "Webhook", account: "acme"},
		{name: "an account's client may name its own account", client: "acme.orders", asked: []string{"account:acme"}, scopes: "Webhook account:acme", account: "acme"},
		{name: "an account's client may not name another", client: "acme.orders", asked: []string{"Webhook", "account:beta"}},
		{name: "an account's client may not name one that does not exist", client: "acme.orders", asked: []string{"Webhook", "account:nobody"}},
		{name: "an account's client may not name its own and another", client: "acme.orders", asked: []string{"account:acme", "account:beta"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			if row.change != nil {
				row.change(w)
			}
			grant, err := w.Issue(request(row.client, row.asked...))
			if row.scopes == "" {
				if codeOf(err) != oauth.CodeInvalidScope || grant.AccessToken != "" || grant.ClientID != row.client {
					t.Errorf("got %+v, %v", grant, err)
				}
				return
			}
			if err != nil || grant.Scopes.String() != row.scopes || grant.AccountID != row.account {
				t.Errorf("got %q for account %q, %v", grant.Scopes, grant.AccountID, err)
			}
		})
	}
}

// TestRestrictionsDoNotTellAccountsApart: one text for an account that does not exist and one that is suspended or not the
// client's.
func TestRestrictionsDoNotTellAccountsApart(t *testing.T) {
	w := newWorld(t)
	w.account("closed", builder.Suspended())
	_, want := w.Issue(request("acme.orders", "account:nobody"))
	for _, account := range []string{"beta", "closed"} {
		if _, got := w.Issue(request("acme.orders", "account:"+account)); got == nil || got.Error() != want.Error() {
			t.Errorf("%s: got %v, want %v", account, got, want)
		}
	}
}

// TestConcurrentUse: the client is shared by all requests, so no grant may write to its scopes, also not behind their end.
// The race detector watches.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	w.Random = rand.Reader
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() {
			grant, err := w.Issue(request("acme.all", "account:acme"))
			if err != nil || grant.Scopes.String() != "Webhook MCP orders.read account:acme" {
				t.Errorf("got %q, %v", grant.Scopes, err)
			}
			if _, err := w.Authorize(grant.AccessToken, places()["acme's webhook"]); err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
	if got := w.issue(t, "acme.all"); got.Scopes.String() != "Webhook MCP orders.read" {
		t.Errorf("the restriction stayed: got %q", got.Scopes)
	}
}
