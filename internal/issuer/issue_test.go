// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

func TestGrantedScopes(t *testing.T) {
	for _, row := range []struct {
		name   string
		client string
		asked  []string
		want   string
		code   string
	}{
		{name: "asking for nothing grants all", client: "acme.all", want: "Webhook MCP orders.read"},
		{name: "asking for all grants all", client: "acme.all", asked: []string{"Webhook", "MCP", "orders.read"}, want: "Webhook MCP orders.read"},
		{name: "asking for one grants one", client: "acme.all", asked: []string{"MCP"}, want: "MCP"},
		{name: "the order is the client's own request", client: "acme.all", asked: []string{"orders.read", "Webhook"}, want: "orders.read Webhook"},
		{name: "asking for more grants the intersection", client: "acme.orders", asked: []string{"MCP", "Webhook", "x"}, want: "Webhook"},
		{name: "the console gets its scope", client: "platform.console", asked: []string{"API"}, want: "API"},
		{name: "an empty intersection is invalid_scope", client: "acme.orders", asked: []string{"MCP"}, code: oauth.CodeInvalidScope},
		{name: "letter case matters", client: "acme.orders", asked: []string{"webhook"}, code: oauth.CodeInvalidScope},
		{name: "an account's client never gets the console's scope", client: "acme.all", asked: []string{"API"}, code: oauth.CodeInvalidScope},
		{name: "the console never gets an account's scope", client: "platform.console", asked: []string{"Webhook", "MCP"}, code: oauth.CodeInvalidScope},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			grant, err := w.Issue(request(row.client, row.asked...))
			if codeOf(err) != row.code || grant.Scopes.String() != row.want || (grant.AccessToken == "") != (row.code != "") {
				t.Fatalf("got %q, %v", grant.Scopes, err)
			}
			if grant.ClientID != row.client {
				t.Errorf("got client %q", grant.ClientID)
			}
		})
	}
}

// TestTokenSaysWhatWasGranted: the grant, the token and the client's settings agree, to the second.
func TestTokenSaysWhatWasGranted(t *testing.T) {
	w := newWorld(t)
	w.now = noon.Add(987654321 * time.Nanosecond)
	for _, row := range []struct {
		name     string
		client   string
		scopes   []string
		lifetime time.Duration
		scope    string
		account  string
	}{
		{"an account's client with a lifetime of its own", "acme.orders", nil, time.Hour, "Webhook", "acme"},
		{"an account's client with the default lifetime", "acme.agents", nil, 1209600 * time.Second, "MCP", "acme"},
		{"the console", "platform.console", nil, 1209600 * time.Second, "API", ""},
		{"the console for one account", "platform.console", []string{"API", "account:beta"}, 1209600 * time.Second, "API account:beta", "beta"},
	} {
		t.Run(row.name, func(t *testing.T) {
			grant := w.issue(t, row.client, row.scopes...)
			if grant.Lifetime != row.lifetime || grant.AccountID != row.account || grant.Scopes.String() != row.scope || grant.ClientID != row.client {
				t.Errorf("got the grant %+v", grant)
			}
			claims := w.claims(t, grant.AccessToken)
			if claims.Incarnation == "" {
				t.Error("the token is not tied to a life of its client")
			}
			claims.Incarnation, claims.IssuedAt, claims.ExpiresAt = "", claims.IssuedAt.UTC(), claims.ExpiresAt.UTC()
			want := token.Claims{
				ID: grant.TokenID, ClientID: row.client, Audience: []string{issuerURL}, Scope: row.scope, Account: row.account,
				SecretID: w.subject(t, row.client).Client.Verifiers[0].SecretID(), IssuedAt: noon, ExpiresAt: noon.Add(row.lifetime),
				KeyID: w.ring(t).Signer(noon).ID,
			}
			if !reflect.DeepEqual(claims, want) {
				t.Errorf("got %+v, want %+v", claims, want)
			}
		})
	}
}

func TestTokensLiveSideBySide(t *testing.T) {
	w := newWorld(t)
	first := w.issue(t, "acme.orders")
	second := w.issue(t, "acme.orders")
	if first.TokenID == second.TokenID || len(first.TokenID) != 22 {
		t.Errorf("got the token IDs %q and %q", first.TokenID, second.TokenID)
	}
	for _, grant := range []issuer.Grant{first, second} {
		if _, err := w.Authorize(grant.AccessToken, issuer.Need{Scopes: oauth.Scopes{"Webhook"}}); err != nil {
			t.Error(err)
		}
	}
}

// TestReadings: where HTTP Basic can be read in two ways, both are tried.
func TestReadings(t *testing.T) {
	for _, row := range []struct {
		name   string
		client oauth.ClientAuthentication
		want   string
	}{
		{"the first reading is right", presented("acme.orders", "acme.orders", "acme.orders", "x"), "acme.orders"},
		{"the second reading is right", presented("acme.orders", "x", "acme.orders", "acme.orders"), "acme.orders"},
		{"the second reading is another client's", presented("nobody", "x", "acme.orders", "acme.orders"), "acme.orders"},
		{"of two that are right, the first counts", presented("beta.orders", "beta.orders", "acme.orders", "acme.orders"), "beta.orders"},
		{"a secret does not pass from one reading to the other", presented("acme.orders", "nobody", "nobody", "acme.orders"), ""},
		{"neither is right", presented("acme.orders", "x", "acme.orders", "y"), ""},
		{"there is no reading", presented(), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			grant, err := w.Issue(oauth.TokenRequest{Client: row.client})
			if row.want == "" {
				if codeOf(err) != oauth.CodeInvalidClient || grant.AccessToken != "" {
					t.Errorf("got %+v, %v", grant, err)
				}
				return
			}
			if err != nil || grant.ClientID != row.want {
				t.Errorf("got %+v, %v", grant, err)
			}
		})
	}
}

// TestReplacedSecret: a secret that was replaced gets tokens until its overlap ends, to the second.
func TestReplacedSecret(t *testing.T) {
	w := newWorld(t)
	object := builder.ClientCredential("acme", "orders", builder.UID("uid"), builder.ForAccount("acme"))
	object.Status.Verifiers = slices.Concat(w.verifiers(object, "new", time.Time{}), w.verifiers(object, "old", noon.Add(time.Hour))).Write()
	w.directory.Store(object)
	for _, row := range []struct {
		name   string
		secret string
		after  time.Duration
		code   string
	}{
		{"the new secret works", "new", 0, ""},
		{"the old secret works", "old", 0, ""},
		{"the old secret works until the end", "old", time.Hour - 1, ""},
		{"the old secret does not work at the end", "old", time.Hour, oauth.CodeInvalidClient},
		{"the new secret works for ever", "new", 100 * 365 * 24 * time.Hour, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.now = noon.Add(row.after)
			grant, err := w.Issue(oauth.TokenRequest{Client: presented("acme.orders", row.secret)})
			if codeOf(err) != row.code {
				t.Fatalf("got %v", err)
			}
			if want := w.verifiers(object, row.secret, time.Time{})[0].SecretID(); err == nil && w.claims(t, grant.AccessToken).SecretID != want {
				t.Error("the token does not name the secret that it was taken with")
			}
		})
	}
}

// TestOwnFailures: what is our own fault is server_error, and gives no token.
func TestOwnFailures(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(*testing.T, *world)
	}{
		{"no key material is loaded", func(_ *testing.T, w *world) { w.Keys = &kube.Keys{} }},
		{"the pepper is not loaded", func(t *testing.T, w *world) {
			w.keys = &kube.Keys{}
			w.loadRing(t, newKey(t, noon))
			w.Keys = w.keys
		}},
		{"the signing keys are not loaded", func(t *testing.T, w *world) {
			w.keys = &kube.Keys{}
			w.loadPepper(t)
			w.Keys = w.keys
		}},
		{"there is no randomness", func(_ *testing.T, w *world) { w.Random = iotest.ErrReader(errors.New("no randomness")) }},
		{"there is too little randomness", func(_ *testing.T, w *world) { w.Random = bytes.NewReader(make([]byte, 15)) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			row.damage(t, w)
			grant, err := w.Issue(request("acme.orders"))
			if codeOf(err) != oauth.CodeServerError || grant.AccessToken != "" {
				t.Errorf("got %+v, %v", grant, err)
			}
		})
	}
}
