// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

// TestMintGivesWhatTheTokenEndpointGives: but for its ID, a token that is delivered is the one that the client would take.
func TestMintGivesWhatTheTokenEndpointGives(t *testing.T) {
	w := newWorld(t)
	w.account("beta", builder.Namespaces("beta"), builder.MaxTokenMinutes(5))
	for _, row := range []struct {
		name   string
		client string
		scopes oauth.Scopes
	}{
		{"an account's client", "acme.orders", nil},
		{"some of an account's scopes", "acme.all", oauth.Scopes{"orders.read", "Webhook"}},
		{"more than the client has", "acme.orders", oauth.Scopes{"MCP", "Webhook"}},
		{"an account that bounds lifetimes", "beta.orders", nil},
		{"the console", "platform.console", oauth.Scopes{"API"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			subject := w.subject(t, row.client)
			taken := w.issue(t, row.client, row.scopes...)
			minted, err := w.Mint(w.ring(t), subject, row.scopes, taken.Audience, subject.Client.Verifiers[0].SecretID())
			if err != nil {
				t.Fatal(err)
			}
			want, got := w.claims(t, taken.AccessToken), w.claims(t, minted.AccessToken)
			if got.ID != minted.TokenID || got.ID == want.ID {
				t.Errorf("got the token IDs %q in the grant, %q in the token, %q in the other token", minted.TokenID, got.ID, want.ID)
			}
			got.ID, minted.TokenID, minted.AccessToken = want.ID, taken.TokenID, taken.AccessToken
			if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(minted, taken) {
				t.Errorf("got %+v of %+v, want %+v of %+v", got, minted, want, taken)
			}
		})
	}
}

func TestMintFails(t *testing.T) {
	w := newWorld(t)
	w.credential("acme", "empty", builder.ForAccount("acme"), builder.WithScopes([]v1alpha1.Scope{}...))
	for _, row := range []struct {
		name   string
		client string
		scopes oauth.Scopes
		random io.Reader
		code   string
	}{
		{"none of the scopes asked for", "acme.orders", oauth.Scopes{"MCP"}, w.Random, oauth.CodeInvalidScope},
		{"a client without scopes", "acme.empty", nil, w.Random, oauth.CodeInvalidScope},
		{"no randomness", "acme.orders", nil, strings.NewReader("too little"), oauth.CodeServerError},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.Random = row.random
			grant, err := w.Mint(w.ring(t), w.subject(t, row.client), row.scopes, []string{issuerURL}, "id")
			if codeOf(err) != row.code || grant.AccessToken != "" || grant.ClientID != row.client {
				t.Errorf("got %+v, %v", grant, err)
			}
		})
	}
}

// TestCheckKnowsWhoseTokenItIs: a token of another client, or none at all, is refused without claims.
func TestCheckKnowsWhoseTokenItIs(t *testing.T) {
	w := newWorld(t)
	raw := w.issue(t, "acme.orders").AccessToken
	for name, attempt := range map[string]struct{ raw, client string }{
		"another client of the account": {raw, "acme.agents"},
		"another account's client":      {raw, "beta.orders"},
		"not genuine":                   {newWorld(t).issue(t, "acme.orders").AccessToken, "acme.orders"},
		"nothing":                       {"", "acme.orders"},
	} {
		claims, err := w.Check(w.ring(t), attempt.raw, w.subject(t, attempt.client))
		if codeOf(err) != oauth.CodeInvalidToken || claims.ID != "" {
			t.Errorf("%s: got %+v, %v", name, claims, err)
		}
	}
}
