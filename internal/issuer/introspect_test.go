// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

// introspect asks as a client whose secret is its ID, and gives what is told: active, inactive or the code of the error.
func (w *world) introspect(clientID, raw string) string {
	outcome, err := w.Introspect(oauth.IntrospectionRequest{Client: presented(clientID, clientID), Token: raw})
	switch {
	case err != nil:
		return codeOf(err)
	case outcome.Inactive != nil:
		return "inactive"
	default:
		return "active"
	}
}

// TestIsolation: who may know of whose tokens.
func TestIsolation(t *testing.T) {
	w := newWorld(t)
	const active, inactive = "active", "inactive"
	callers := []string{"acme.orders", "acme.agents", "beta.orders", "platform.console"}
	for _, row := range []struct {
		name, token string
		want        []string
	}{
		{"of acme", w.issue(t, "acme.orders").AccessToken, []string{active, active, inactive, active}},
		{"of acme's other client", w.issue(t, "acme.all").AccessToken, []string{active, active, inactive, active}},
		{"of beta", w.issue(t, "beta.orders").AccessToken, []string{inactive, inactive, active, active}},
		{"of the console", w.issue(t, "platform.console").AccessToken, []string{inactive, inactive, inactive, active}},
		{"of the console, restricted to acme", w.issue(t, "platform.console", "account:acme").AccessToken, []string{inactive, inactive, inactive, active}},
		{"of another issuer", w.forge(t, "https://b", issuerURL), []string{inactive, inactive, inactive, inactive}},
		{"of a client that does not exist", w.forgeFor(t, "acme.nobody"), []string{inactive, inactive, inactive, inactive}},
		{"of nobody", "canary-0123456789", []string{inactive, inactive, inactive, inactive}},
	} {
		for i, caller := range callers {
			t.Run("a token "+row.name+", asked for by "+caller, func(t *testing.T) {
				if got := w.introspect(caller, row.token); got != row.want[i] {
					t.Errorf("got %s, want %s", got, row.want[i])
				}
			})
		}
	}
}

// TestIntrospectionOfALife: acme.orders asks about a token of acme.agents, after something has happened.
func TestIntrospectionOfALife(t *testing.T) {
	agents := func(w *world, options ...builder.CredentialOption) {
		w.credential("acme", "agents", append([]builder.CredentialOption{builder.ForAccount("acme"), builder.WithScopes("MCP")}, options...)...)
	}
	for _, row := range []struct {
		name   string
		happen func(*testing.T, *world, string)
		// want is what is told; reason is why, for the audit log.
		want, reason string
	}{
		{"nothing happens", nil, "active", ""},
		{"the token expires", func(_ *testing.T, w *world, _ string) { w.now = noon.Add(14 * 24 * time.Hour) }, "inactive", "verifying a token: token has invalid claims: token is expired"},
		{"the token is revoked", func(t *testing.T, w *world, raw string) {
			w.directory.Store(kube.NewRevokedToken("claviger-system", w.claims(t, raw)))
		}, "inactive", "the token is revoked"},
		{"the client is suspended", func(_ *testing.T, w *world, _ string) { agents(w, builder.Suspended()) }, "inactive", v1alpha1.ReasonSuspended},
		{"the client is deleted", func(_ *testing.T, w *world, _ string) {
			w.directory.Forget(builder.ClientCredential("acme", "agents"))
		}, "inactive", "no such client"},
		{"the client's tokens of that time are revoked", func(_ *testing.T, w *world, _ string) {
			agents(w, builder.RevokeTokensBefore(noon.Add(time.Second)))
		}, "inactive", "the client's tokens of that time are revoked"},
		{"the client is moved to another account", func(_ *testing.T, w *world, _ string) {
			w.account("beta", builder.Namespaces("acme"))
			agents(w, builder.ForAccount("beta"))
		}, "inactive", "the client or its account is not the one the token was issued for"},
		{"the client loses every scope of the token", func(_ *testing.T, w *world, _ string) {
			agents(w, builder.WithScopes("Webhook"))
		}, "inactive", "the client has none of the token's scopes any more"},
		{"the signing key is replaced", func(t *testing.T, w *world, _ string) { w.loadRing(t, newKey(t, noon)) }, "inactive", "verifying a token: token is unverifiable: error while executing keyfunc: no key of that kid and alg"},
		{"the caller is suspended", func(_ *testing.T, w *world, _ string) {
			w.credential("acme", "orders", builder.ForAccount("acme"), builder.Suspended())
		}, oauth.CodeInvalidClient, v1alpha1.ReasonSuspended},
		{"the signing keys are not loaded", func(t *testing.T, w *world, _ string) {
			w.keys = &kube.Keys{}
			w.loadPepper(t)
			w.Keys = w.keys
		}, oauth.CodeServerError, "the key material is not loaded"},
		{"the objects are not all known", func(_ *testing.T, w *world, _ string) { w.Directory = behind{w.directory} }, oauth.CodeServerError, "the objects are not all known yet"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			raw := w.issue(t, "acme.agents").AccessToken
			if row.happen != nil {
				row.happen(t, w, raw)
			}
			outcome, err := w.Introspect(oauth.IntrospectionRequest{Client: presented("acme.orders", "acme.orders"), Token: raw})
			if got := w.introspect("acme.orders", raw); got != row.want {
				t.Fatalf("got %s, %v, %v", got, outcome.Inactive, err)
			}
			if outcome.CallerID == "" && row.want != oauth.CodeServerError {
				t.Error("the caller is not named")
			}
			if cause := cmp.Or(err, outcome.Inactive); cause != nil && causeOf(cause) != row.reason {
				t.Errorf("the reason is %q", causeOf(cause))
			}
			if row.want != "active" && outcome.Claims.ID != "" {
				t.Errorf("claims are given: %+v", outcome.Claims)
			}
		})
	}
}

// causeOf gives the private half of an error of OAuth, and all of any other.
func causeOf(err error) string {
	var failure *oauth.Error
	if errors.As(err, &failure) {
		return reasonOf(failure)
	}
	return err.Error()
}

// TestIntrospectedClaims: what is told is what the token may do now, not what it could when it was issued.
func TestIntrospectedClaims(t *testing.T) {
	w := newWorld(t)
	grant := w.issue(t, "acme.all")
	w.credential("acme", "all", builder.ForAccount("acme"), builder.WithScopes("Webhook", "orders.read"))
	outcome, err := w.Introspect(oauth.IntrospectionRequest{Client: presented("acme.orders", "acme.orders"), Token: grant.AccessToken})
	if err != nil || outcome.Inactive != nil {
		t.Fatalf("got %v, %v", outcome.Inactive, err)
	}
	want := w.claims(t, grant.AccessToken)
	want.Scope = "Webhook orders.read"
	got := outcome.Claims
	if got.ID != want.ID || got.ClientID != "acme.all" || got.Scope != want.Scope || got.Account != "acme" || !slices.Equal(got.Audience, []string{issuerURL}) || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.IssuedAt.Equal(noon) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if outcome.TokenID != grant.TokenID || outcome.CallerID != "acme.orders" {
		t.Errorf("got %+v", outcome)
	}
}

// TestIntrospectResources: aud has what the token is still for, and a token that is for nothing any more is not active.
func TestIntrospectResources(t *testing.T) {
	w := newResourceWorld(t)
	introspect := func(raw string) issuer.Introspection {
		outcome, err := w.Introspect(oauth.IntrospectionRequest{Client: presented("acme.all", "acme.all"), Token: raw})
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	raw := w.issueFor(t, "acme.all", toolsURL, hookURL).AccessToken
	if got := introspect(raw); got.Inactive != nil || !slices.Equal(got.Claims.Audience, []string{toolsURL, hookURL}) {
		t.Errorf("got %q, %v", got.Claims.Audience, got.Inactive)
	}
	w.resource("acme", "tools", toolsURL, builder.OfAccount("acme"), builder.OfType("MCP"), builder.Suspended())
	if got := introspect(raw); got.Inactive != nil || !slices.Equal(got.Claims.Audience, []string{hookURL}) {
		t.Errorf("after one was closed: got %q, %v", got.Claims.Audience, got.Inactive)
	}
	w.directory.Forget(builder.ProtectedResource("acme", "hook", hookURL))
	if got := introspect(raw); got.Inactive == nil || got.Claims.ID != "" || issuer.Reason(got.Inactive) != token.ReasonOtherAudience {
		t.Errorf("after the other was deleted: got %+v", got)
	}
}
