// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

const (
	revokedByTime   = "the client's tokens of that time are revoked"
	revokedBySecret = "the client secret or key that the token was taken with no longer works"
	revokedByItself = "the token is revoked"
	anotherLife     = "the client or its account is not the one the token was issued for"
)

// revocation is the object that revokes a token; of several, another has another name.
func revocation(tokenID, name string) *v1alpha1.RevokedToken {
	object := kube.NewRevokedToken("claviger-system", token.Claims{ID: tokenID})
	object.Name += name
	return object
}

// replaced stores acme.orders with a secret that has replaced the one called after its ID, which works until that time.
func (w *world) replaced(until time.Time, options ...builder.CredentialOption) {
	object := builder.ClientCredential("acme", "orders", builder.UID("credential orders"))
	verifiers := slices.Concat(w.verifiers(object, "new", time.Time{}), w.verifiers(object, "acme.orders", until))
	options = append(options, builder.ForAccount("acme"), builder.VerifiedBy(verifiers.Write()...))
	w.credential("acme", "orders", options...)
}

// TestWhyATokenIsRefused: a token of acme.orders is issued at noon, something happens, and both Authorize and Check say why the
// token is refused, or that it is not. Only Authorize knows of tokens that were revoked by themselves.
func TestWhyATokenIsRefused(t *testing.T) {
	orders := func(w *world, options ...builder.CredentialOption) {
		w.credential("acme", "orders", append(options, builder.ForAccount("acme"))...)
	}
	for _, row := range []struct {
		name   string
		happen func(w *world, tokenID string)
		reason string
	}{
		{"nothing happens", func(*world, string) {}, ""},

		{"tokens before the next second are revoked", func(w *world, _ string) { orders(w, builder.RevokeTokensBefore(noon.Add(time.Second))) }, revokedByTime},
		{"tokens before the second of its issue are revoked", func(w *world, _ string) { orders(w, builder.RevokeTokensBefore(noon)) }, ""},
		{"tokens before a time to come are revoked", func(w *world, _ string) { orders(w, builder.RevokeTokensBefore(noon.Add(time.Hour))) }, revokedByTime},
		{"that is taken back", func(w *world, _ string) { orders(w, builder.RevokeTokensBefore(noon.Add(time.Hour))); orders(w) }, ""},

		{"its secret is replaced, and tokens die with it, but not yet", func(w *world, _ string) {
			w.replaced(noon.Add(time.Minute), builder.RevokeTokensWithSecret())
			w.now = noon.Add(time.Minute - 1)
		}, ""},
		{"its secret is replaced, and the overlap has ended", func(w *world, _ string) {
			w.replaced(noon.Add(time.Minute), builder.RevokeTokensWithSecret())
			w.now = noon.Add(time.Minute)
		}, revokedBySecret},
		{"its secret is replaced, and tokens do not die with it", func(w *world, _ string) { w.replaced(noon.Add(-time.Minute)) }, ""},
		{"tokens die with their secret, which was not replaced", func(w *world, _ string) { orders(w, builder.RevokeTokensWithSecret()) }, ""},
		{"tokens die with their secret, and the status is wiped", func(w *world, _ string) {
			orders(w, builder.RevokeTokensWithSecret(), builder.VerifiedBy([]v1alpha1.SecretVerifier{}...))
		}, revokedBySecret},
		{"the status is rebuilt", func(w *world, _ string) {
			orders(w, builder.RevokeTokensWithSecret(), builder.VerifiedBy([]v1alpha1.SecretVerifier{}...))
			orders(w, builder.RevokeTokensWithSecret())
		}, ""},

		{"its client is suspended", func(w *world, _ string) { orders(w, builder.Suspended()) }, v1alpha1.ReasonSuspended},
		{"its account is suspended", func(w *world, _ string) { w.account("acme", builder.Namespaces("acme"), builder.Suspended()) }, v1alpha1.ReasonAccountSuspended},
		{"its client is another of the same name", func(w *world, _ string) { orders(w, builder.UID("another life")) }, anotherLife},
		{"a new life comes before old revocations", func(w *world, _ string) {
			orders(w, builder.UID("another life"), builder.RevokeTokensBefore(noon.Add(time.Hour)))
		}, anotherLife},

		{"it is revoked by itself", func(w *world, id string) { w.directory.Store(revocation(id, "")) }, revokedByItself},
		{"it is revoked twice, and one revocation goes", func(w *world, id string) {
			w.directory.Store(revocation(id, ""))
			w.directory.Store(revocation(id, "-again"))
			w.directory.Forget(revocation(id, ""))
		}, revokedByItself},
		{"its revocation goes", func(w *world, id string) {
			w.directory.Store(revocation(id, ""))
			w.directory.Forget(revocation(id, ""))
		}, ""},
		{"another token is revoked by itself", func(w *world, id string) { w.directory.Store(revocation(id+"x", "")) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			grant := w.issue(t, "acme.orders")
			row.happen(w, grant.TokenID)
			access, err := w.Authorize(grant.AccessToken, places()["acme's webhook"])
			checkReason(t, err, row.reason)
			if access.ClientID != "acme.orders" {
				t.Errorf("a genuine token names its client, refused or not: got %+v", access)
			}
			want := row.reason
			if want == revokedByItself {
				want = ""
			}
			claims, err := w.Check(w.ring(t), grant.AccessToken, w.subject(t, "acme.orders"))
			checkReason(t, err, want)
			if (claims.ID == grant.TokenID) != (want == "") {
				t.Errorf("got the claims %+v", claims)
			}
		})
	}
}

// checkReason expects no error where there is no reason, else invalid_token with that private reason.
func checkReason(t *testing.T, err error, reason string) {
	t.Helper()
	var failure *oauth.Error
	switch {
	case reason == "" && err == nil:
	case reason == "" || !errors.As(err, &failure):
		t.Errorf("got %v, want the reason %q", err, reason)
	case failure.Code != oauth.CodeInvalidToken || reasonOf(failure) != reason:
		t.Errorf("got %v, want the reason %q", err, reason)
	}
}

// TestTokensWithoutSecretID: tokens from before the claim was there cannot die with their secret.
func TestTokensWithoutSecretID(t *testing.T) {
	w := newWorld(t)
	raw := w.sign(t, issuerURL, func(claims *token.Claims) { claims.SecretID = "" })
	w.replaced(noon, builder.RevokeTokensWithSecret())
	_, err := w.Authorize(raw, places()["acme's webhook"])
	checkReason(t, err, "")
}

// TestRevokedRestrictedToken: a restriction changes nothing about revocation, and Check knows no restriction.
func TestRevokedRestrictedToken(t *testing.T) {
	w := newWorld(t)
	raw := w.issue(t, "platform.console", "account:acme").AccessToken
	_, err := w.Check(w.ring(t), raw, w.subject(t, "platform.console"))
	checkReason(t, err, "account acme of the restriction is gone or suspended")
	w.credential("platform", "console", builder.RevokeTokensBefore(noon.Add(time.Second)))
	_, err = w.Authorize(raw, places()["the API for acme"])
	checkReason(t, err, revokedByTime)
}

// TestOneClientID: of two objects that claim one client ID, the other one's secret and tokens are refused, and when the one that
// has the ID goes, so do its own.
func TestOneClientID(t *testing.T) {
	w := newWorld(t)
	w.account("beta", builder.Namespaces("acme", "beta"))
	older := []builder.CredentialOption{builder.ForAccount("acme"), builder.ClientIDOverride("shared"), builder.CreatedAt(noon)}
	younger := []builder.CredentialOption{builder.ForAccount("beta"), builder.ClientIDOverride("shared"), builder.CreatedAt(noon.Add(time.Second))}
	w.credential("beta", "younger", younger...)
	first := w.issue(t, "shared").AccessToken
	w.credential("acme", "older", older...)
	_, err := w.Authorize(first, places()["beta's webhook"])
	checkReason(t, err, anotherLife)
	second := w.issue(t, "shared").AccessToken
	_, err = w.Authorize(second, places()["acme's webhook"])
	checkReason(t, err, "")

	w.directory.Forget(builder.ClientCredential("acme", "older"))
	_, err = w.Authorize(second, places()["acme's webhook"])
	checkReason(t, err, anotherLife)
	_, err = w.Authorize(first, places()["beta's webhook"])
	checkReason(t, err, "")
}
