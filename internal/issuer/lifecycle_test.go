// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

// TestLifeOfAToken: a token of acme.orders is issued, something happens, and the token is shown at acme's webhook.
func TestLifeOfAToken(t *testing.T) {
	orders := func(w *world, options ...builder.CredentialOption) {
		w.credential("acme", "orders", append([]builder.CredentialOption{builder.ForAccount("acme")}, options...)...)
	}
	account := func(w *world, options ...builder.AccountOption) {
		w.account("acme", append([]builder.AccountOption{builder.Namespaces("acme")}, options...)...)
	}
	for _, row := range []struct {
		name   string
		happen func(*testing.T, *world)
		want   string
	}{
		{"nothing happens", func(*testing.T, *world) {}, yes},
		{"it is the last moment", func(_ *testing.T, w *world) { w.now = noon.Add(time.Hour - 1) }, yes},
		{"the token expires", func(_ *testing.T, w *world) { w.now = noon.Add(time.Hour) }, un},
		{"another token is taken", func(t *testing.T, w *world) { w.issue(t, "acme.orders") }, yes},

		{"the credential is stored again as it was", func(_ *testing.T, w *world) { orders(w) }, yes},
		{"the credential gets another lifetime", func(_ *testing.T, w *world) { orders(w, builder.TokenMinutes(1)); w.now = noon.Add(time.Minute) }, yes},
		{"the credential gets another scope too", func(_ *testing.T, w *world) { orders(w, builder.WithScopes("MCP", "Webhook")) }, yes},
		{"the scope is taken away from the credential", func(_ *testing.T, w *world) { orders(w, builder.WithScopes("MCP")) }, no},
		{"the secret is replaced", func(_ *testing.T, w *world) {
			object := builder.ClientCredential("acme", "orders", builder.UID("credential orders"))
			orders(w, builder.VerifiedBy(w.verifiers(object, "another", time.Time{}).Write()...))
		}, yes},
		{"the status is wiped", func(_ *testing.T, w *world) { orders(w, builder.VerifiedBy([]v1alpha1.SecretVerifier{}...)) }, yes},
		{"the credential is suspended", func(_ *testing.T, w *world) { orders(w, builder.Suspended()) }, un},
		{"the credential is suspended and set free", func(_ *testing.T, w *world) { orders(w, builder.Suspended()); orders(w) }, yes},
		{"the credential is being deleted", func(_ *testing.T, w *world) { orders(w, builder.Deleting(noon)) }, un},
		{"the credential is deleted", func(_ *testing.T, w *world) { w.directory.Forget(builder.ClientCredential("acme", "orders")) }, un},
		{"the credential is deleted and created again", func(_ *testing.T, w *world) {
			w.directory.Forget(builder.ClientCredential("acme", "orders"))
			orders(w, builder.UID("another life"))
		}, un},
		{"another credential is deleted", func(_ *testing.T, w *world) { w.directory.Forget(builder.ClientCredential("acme", "agents")) }, yes},
		{"the credential is moved to another account", func(_ *testing.T, w *world) {
			w.account("beta", builder.Namespaces("acme"))
			orders(w, builder.ForAccount("beta"))
		}, un},
		{"the credential is moved to the console", func(_ *testing.T, w *world) {
			w.Rules = credential.Rules{ConsoleNamespaces: []string{"acme"}}
			w.credential("acme", "orders")
		}, un},

		{"the account is suspended", func(_ *testing.T, w *world) { account(w, builder.Suspended()) }, un},
		{"the account is suspended and set free", func(_ *testing.T, w *world) { account(w, builder.Suspended()); account(w) }, yes},
		{"the account is being deleted", func(_ *testing.T, w *world) { account(w, builder.Deleting(noon)) }, un},
		{"the account is deleted", func(_ *testing.T, w *world) { w.directory.Forget(builder.Account("acme")) }, un},
		{"the account is deleted and created again", func(_ *testing.T, w *world) {
			w.directory.Forget(builder.Account("acme"))
			account(w, builder.UID("another life"))
		}, un},
		{"the account takes the namespace away", func(_ *testing.T, w *world) { account(w, builder.Namespaces("beta")) }, un},
		{"the account selects the namespace instead of naming it", func(_ *testing.T, w *world) {
			namespace(w, "acme", "team", "acme")
			account(w, builder.Namespaces(), builder.Selector(metav1.LabelSelector{MatchLabels: map[string]string{"team": "acme"}}))
		}, yes},
		{"the namespace loses the label that the account selects by", func(_ *testing.T, w *world) {
			account(w, builder.Namespaces(), builder.Selector(metav1.LabelSelector{MatchLabels: map[string]string{"team": "acme"}}))
			namespace(w, "acme", "team", "acme")
			namespace(w, "acme", "team", "beta")
		}, un},
		{"another account is suspended", func(_ *testing.T, w *world) { w.account("beta", builder.Suspended()) }, yes},

		{"a new signing key is added", func(t *testing.T, w *world) {
			w.loadRing(t, w.ring(t).Signer(noon), newKey(t, noon.Add(time.Minute)))
		}, yes},
		{"the signing key is replaced", func(t *testing.T, w *world) { w.loadRing(t, newKey(t, noon)) }, un},
		{"the Secret of the signing keys is damaged", func(t *testing.T, w *world) {
			damaged := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SigningKeysSecretName}}
			if err := w.keys.Store(damaged); err == nil {
				t.Error("a damaged Secret was taken")
			}
		}, yes},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			raw := w.issue(t, "acme.orders").AccessToken
			row.happen(t, w)
			if _, err := w.Authorize(raw, places()["acme's webhook"]); verdictOf(err) != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

// TestLifeOfARestrictedToken: the same for a token of the console that is restricted to acme, at the API for acme.
func TestLifeOfARestrictedToken(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(*world)
		want   string
	}{
		{"nothing happens", func(*world) {}, yes},
		{"the account is suspended", func(w *world) { w.account("acme", builder.Suspended()) }, un},
		{"the account is being deleted", func(w *world) { w.account("acme", builder.Deleting(noon)) }, un},
		{"the account is deleted", func(w *world) { w.directory.Forget(builder.Account("acme")) }, un},
		{"the account is deleted and created again", func(w *world) { w.account("acme", builder.UID("another life")) }, un},
		{"the account allows other namespaces", func(w *world) { w.account("acme", builder.Namespaces("x")) }, yes},
		{"another account is suspended", func(w *world) { w.account("beta", builder.Suspended()) }, yes},
		{"the credential is created again", func(w *world) { w.credential("platform", "console", builder.UID("another life")) }, un},
		{"the credential moves from the console to the account", func(w *world) {
			w.account("acme", builder.Namespaces("platform"))
			w.credential("platform", "console", builder.ForAccount("acme"))
		}, un},
		{"the namespace may no longer hold it", func(w *world) { w.Rules = credential.Rules{} }, un},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			raw := w.issue(t, "platform.console", "API", "account:acme").AccessToken
			row.happen(w)
			if _, err := w.Authorize(raw, places()["the API for acme"]); verdictOf(err) != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

// TestScopesThatAreTakenAway: of several scopes, only the one that was taken away is gone.
func TestScopesThatAreTakenAway(t *testing.T) {
	w := newWorld(t)
	raw := w.issue(t, "acme.all").AccessToken
	w.credential("acme", "all", builder.ForAccount("acme"), builder.WithScopes("Webhook", "orders.read"))
	for place, want := range map[string]string{"acme's webhook": yes, "acme's MCP server": no, "acme's own": yes} {
		access, err := w.Authorize(raw, places()[place])
		if verdictOf(err) != want || access.Scopes.String() != "Webhook orders.read" {
			t.Errorf("%s: got %v, %v", place, access, err)
		}
	}
	// The account's own scope is gone from the account: the whole credential is no longer allowed.
	w.account("acme", builder.Namespaces("acme"))
	if _, err := w.Authorize(raw, places()["acme's webhook"]); codeOf(err) != oauth.CodeInvalidToken {
		t.Errorf("got %v", err)
	}
}

// namespace stores a Namespace with one label.
func namespace(w *world, name, key, value string) {
	object := kube.NamespaceMetadata()
	object.Name, object.Labels = name, map[string]string{key: value}
	w.directory.Store(object)
}
