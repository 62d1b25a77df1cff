// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

// TestReasons: whatever is wrong with a token or with the place, metrics have one word for it.
func TestReasons(t *testing.T) {
	webhook := issuer.Need{Scopes: oauth.Scopes{"Webhook"}, Accounts: []string{"acme"}}
	for _, row := range []struct {
		name   string
		change func(*testing.T, *world, *string)
		need   issuer.Need
		want   string
	}{
		{"no token at all", func(_ *testing.T, _ *world, raw *string) { *raw = "x" }, webhook, token.ReasonMalformed},
		{"another signature", func(_ *testing.T, _ *world, raw *string) { *raw = (*raw)[:len(*raw)-4] + "AAAA" }, webhook, token.ReasonBadSignature},
		{"another key", func(t *testing.T, w *world, _ *string) { w.loadRing(t, newKey(t, noon)) }, webhook, token.ReasonUnverifiable},
		{"it has expired", func(_ *testing.T, w *world, _ *string) { w.now = noon.Add(time.Hour) }, webhook, token.ReasonExpired},
		{"the clock is behind", func(_ *testing.T, w *world, _ *string) { w.now = noon.Add(-time.Hour) }, webhook, token.ReasonFuture},
		{"another issuer", func(_ *testing.T, w *world, _ *string) { w.Issuer = "https://b.example.com" }, webhook, token.ReasonOtherIssuer},
		{"the client is gone", func(_ *testing.T, w *world, _ *string) {
			w.directory.Forget(builder.ClientCredential("acme", "orders"))
		}, webhook, issuer.ReasonUnknownClient},
		{"the client is suspended", func(_ *testing.T, w *world, _ *string) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.Suspended())
		}, webhook, v1alpha1.ReasonSuspended},
		{"another client of that name", func(_ *testing.T, w *world, _ *string) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.UID("another"))
		}, webhook, issuer.ReasonOtherLife},
		{"it is revoked", func(t *testing.T, w *world, raw *string) {
			w.directory.Store(kube.NewRevokedToken("claviger-system", w.claims(t, *raw)))
		}, webhook, issuer.ReasonRevoked},
		{"another level", nil, issuer.Need{Scopes: oauth.Scopes{"API"}}, issuer.ReasonOtherLevel},
		{"another account", nil, issuer.Need{Scopes: oauth.Scopes{"Webhook"}, Accounts: []string{"beta"}}, issuer.ReasonOtherAccount},
		{"another scope", nil, issuer.Need{Scopes: oauth.Scopes{"MCP"}}, issuer.ReasonScopeMissing},
		{"a guard that names no scope", nil, issuer.Need{}, issuer.ReasonBadGuard},
		{"the keys are not loaded", func(_ *testing.T, w *world, _ *string) { w.Keys = &kube.Keys{} }, webhook, issuer.ReasonNotReady},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			raw := w.issue(t, "acme.orders").AccessToken
			if row.change != nil {
				row.change(t, w, &raw)
			}
			_, err := w.Authorize(raw, row.need)
			if err == nil || issuer.Reason(err) != row.want {
				t.Errorf("got %q for %v", issuer.Reason(err), err)
			}
		})
	}
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"a bearer token that is none": {bearerError(t, "Bearer @"), token.ReasonMalformed},
		"anything else":               {errors.New("x"), issuer.ReasonOther},
		"our own failure":             {oauth.ServerError(errors.New("x")), issuer.ReasonOther},
	} {
		if got := issuer.Reason(row.err); got != row.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func bearerError(t *testing.T, header string) error {
	t.Helper()
	_, err := oauth.ParseBearer([]string{header})
	if err == nil {
		t.Fatalf("%s is taken", header)
	}
	return err
}
