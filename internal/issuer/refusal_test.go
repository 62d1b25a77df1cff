// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

// TestOneAnswerForEveryRefusal: whatever keeps a client from getting a token, the public half of the answer is the same to
// the byte. Only the private half, which is for the audit log, tells why.
func TestOneAnswerForEveryRefusal(t *testing.T) {
	orders := func(w *world, options ...builder.CredentialOption) {
		w.credential("acme", "orders", append(options, builder.ForAccount("acme"))...)
	}
	const known = "acme.orders"
	for _, row := range []struct {
		name   string
		change func(*world)
		client oauth.ClientAuthentication
		// knownAs is the client ID that the audit log may have: only one that exists.
		knownAs string
		// reason is that of condition Allowed, or the cause in words.
		reason string
	}{
		{name: "an unknown client", client: presented("acme.nobody", "x"), reason: "no such client"},
		{name: "an unknown client with the secret of another", client: presented("acme.nobody", known), reason: "no such client"},
		{name: "a secret pasted as client ID", client: presented(known+known, known), reason: "no such client"},
		{name: "a wrong secret", client: presented(known, "x"), knownAs: known, reason: "wrong client secret"},
		{name: "an empty secret", client: presented(known, ""), knownAs: known, reason: "wrong client secret"},
		{name: "the secret of another client", client: presented(known, "acme.agents"), knownAs: known, reason: "wrong client secret"},
		{name: "an unknown client and a wrong secret", client: presented("x", "x", known, "x"), knownAs: known, reason: "wrong client secret"},
		{
			name: "a secret that was never published", knownAs: known, reason: "wrong client secret",
			change: func(w *world) {
				orders(w, builder.VerifiedBy(w.verifiers(builder.ClientCredential("acme", "orders"), known, time.Time{}).Write()...))
			},
		},
		{
			name: "a suspended client", knownAs: known, reason: v1alpha1.ReasonSuspended,
			change: func(w *world) { orders(w, builder.Suspended()) },
		},
		{
			name: "a suspended client with a wrong secret", knownAs: known, reason: "wrong client secret", client: presented(known, "x"),
			change: func(w *world) { orders(w, builder.Suspended()) },
		},
		{
			name: "a client that is being deleted", knownAs: known, reason: v1alpha1.ReasonDeleting,
			change: func(w *world) { orders(w, builder.Deleting(noon)) },
		},
		{
			name: "a client that was deleted", reason: "no such client",
			change: func(w *world) { w.directory.Forget(builder.ClientCredential("acme", "orders")) },
		},
		{
			name: "an account that is suspended", knownAs: known, reason: v1alpha1.ReasonAccountSuspended,
			change: func(w *world) { w.account("acme", builder.Namespaces("acme"), builder.Suspended()) },
		},
		{
			name: "an account that was deleted", knownAs: known, reason: v1alpha1.ReasonAccountNotFound,
			change: func(w *world) { w.directory.Forget(builder.Account("acme")) },
		},
		{
			name: "a namespace that the account does not allow", knownAs: known, reason: v1alpha1.ReasonNamespaceNotAllowed,
			change: func(w *world) { w.account("acme", builder.Namespaces("beta")) },
		},
		{
			name: "a scope that the account has not", knownAs: known, reason: v1alpha1.ReasonScopeNotAllowed,
			change: func(w *world) { orders(w, builder.WithScopes("Webhook", "orders.write")) },
		},
		{
			name: "a console-level client where none may stand", knownAs: "acme.console", reason: v1alpha1.ReasonConsoleNotAllowed,
			client: presented("acme.console", "acme.console"),
			change: func(w *world) { w.credential("acme", "console") },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			if row.change != nil {
				row.change(w)
			}
			client := row.client
			if client.Readings == nil {
				client = presented(known, known)
			}
			grant, err := w.Issue(oauth.TokenRequest{Client: client})
			var failure *oauth.Error
			if !errors.As(err, &failure) {
				t.Fatalf("got %v", err)
			}
			if failure.Code != "invalid_client" || failure.Description != "client authentication failed" {
				t.Errorf("got the answer %q, %q", failure.Code, failure.Description)
			}
			if grant.AccessToken != "" || grant.TokenID != "" || grant.ClientID != row.knownAs {
				t.Errorf("got the grant %+v", grant)
			}
			if got := reasonOf(failure); got != row.reason {
				t.Errorf("got the private reason %q, want %q", got, row.reason)
			}
		})
	}
}

// behind is a directory that is still being filled.
type behind struct{ *kube.Directory }

func (behind) Synced() bool { return false }

// TestNotSynced: before all objects are known, nobody is told that a client or a token is no good. Clients would believe it.
func TestNotSynced(t *testing.T) {
	w := newWorld(t)
	token := w.issue(t, "acme.orders").AccessToken
	w.Directory = behind{w.directory}
	for _, client := range []string{"acme.orders", "acme.nobody"} {
		if grant, err := w.Issue(request(client)); codeOf(err) != oauth.CodeServerError || grant.AccessToken != "" {
			t.Errorf("%s: got %v", client, err)
		}
	}
	if _, err := w.Authorize(token, places()["acme's webhook"]); codeOf(err) != oauth.CodeServerError {
		t.Errorf("got %v", err)
	}
}

// reasonOf gives the private half of an error.
func reasonOf(failure *oauth.Error) string {
	if found, ok := fault.As(failure); ok {
		return found.Reason
	}
	if cause := errors.Unwrap(failure); cause != nil {
		return cause.Error()
	}
	return ""
}
