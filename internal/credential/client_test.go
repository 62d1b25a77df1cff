// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

func TestReadClient(t *testing.T) {
	pepper := newPepper(t, 1)
	verifiers := credential.Verifiers{{Digest: digestOf(pepper, "a"), PepperID: pepper.ID()}}
	got := credential.ReadClient(builder.ClientCredential("acme", "orders", builder.UID("uid"), builder.ForAccount("acme-ltd"),
		builder.WithScopes("MCP", "orders.read"), builder.TokenMinutes(90), builder.VerifiedBy(verifiers.Write()...)))
	if got.ID != "acme.orders" || got.UID != "uid" || got.Namespace != "acme" || got.AccountID != "acme-ltd" {
		t.Errorf("got %v", got)
	}
	if !slices.Equal(got.Scopes, oauth.Scopes{"MCP", "orders.read"}) || !slices.Equal(got.Verifiers, verifiers) {
		t.Errorf("got %v", got)
	}
	if lifetime := (credential.Rules{}).TokenLifetime(credential.Subject{Client: got}); lifetime != 90*time.Minute {
		t.Errorf("got %v", lifetime)
	}
	if got.ConsoleLevel() {
		t.Error("a client with an account is console-level")
	}
	if !credential.ReadClient(builder.ClientCredential("platform", "console")).ConsoleLevel() {
		t.Error("a client without an account is not console-level")
	}
}

func TestReadClientReadsWhatKillsTokens(t *testing.T) {
	for _, row := range []struct {
		name       string
		option     builder.CredentialOption
		before     time.Time
		withSecret bool
	}{
		{"nothing does where nothing is said", builder.TokenMinutes(60), time.Time{}, false},
		{"a time does", builder.RevokeTokensBefore(noon), noon, false},
		{"the end of a secret does", builder.RevokeTokensWithSecret(), time.Time{}, true},
		{"a rotation alone does not", builder.Interval(time.Hour), time.Time{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := credential.ReadClient(builder.ClientCredential("acme", "orders", row.option))
			if !got.RevokeTokensBefore.Equal(row.before) || got.RevokeTokensWithSecret != row.withSecret {
				t.Errorf("got %v and %v", got.RevokeTokensBefore, got.RevokeTokensWithSecret)
			}
		})
	}
}

// TestClientIDsAreUnique: a name may have dots and a namespace may not, so the first dot tells where one ends.
func TestClientIDsAreUnique(t *testing.T) {
	one := credential.ClientID(builder.ClientCredential("a", "b.c"))
	other := credential.ClientID(builder.ClientCredential("a-b", "c"))
	if one != "a.b.c" || other != "a-b.c" {
		t.Errorf("got %q and %q", one, other)
	}
}

func TestClientID(t *testing.T) {
	for _, row := range []struct {
		name    string
		options []builder.CredentialOption
		want    string
	}{
		{"it is made of namespace and name", nil, "acme.orders"},
		{"the spec overrides it", []builder.CredentialOption{builder.ClientIDOverride("legacy-7")}, "legacy-7"},
		{"the one that the credential has had stays", []builder.CredentialOption{builder.KnownAs("imported-7")}, "imported-7"},
		{"the spec's comes before that", []builder.CredentialOption{builder.ClientIDOverride("legacy-7"), builder.KnownAs("acme.orders")}, "legacy-7"},
	} {
		t.Run(row.name, func(t *testing.T) {
			object := builder.ClientCredential("acme", "orders", row.options...)
			if got, read := credential.ClientID(object), credential.ReadClient(object).ID; got != row.want || read != row.want {
				t.Errorf("got %q and %q, want %q", got, read, row.want)
			}
		})
	}
}

func TestReadAccount(t *testing.T) {
	for _, row := range []struct {
		name   string
		option builder.AccountOption
		active bool
	}{
		{"an account is active", builder.Namespaces("a"), true},
		{"a suspended account is not active", builder.Suspended(), false},
		{"an account that is being deleted is not active", builder.Deleting(noon), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := credential.ReadAccount(builder.Account("acme", builder.UID("uid"), row.option))
			if err != nil || got.ID != "acme" || got.UID != "uid" || got.Active() != row.active {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	if (*credential.Account)(nil).Active() {
		t.Error("an account that does not exist is active")
	}
}

// TestInvalidSelector: an Account whose selector does not parse selects nothing, and is good for all else.
func TestInvalidSelector(t *testing.T) {
	selector := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Resembles"}}}
	got, err := credential.ReadAccount(builder.Account("acme", builder.Namespaces("named"), builder.Selector(selector)))
	found, ok := fault.As(err)
	if !ok || found.Kind != fault.Terminal || found.Reason != v1alpha1.ReasonInvalidSelector {
		t.Fatalf("got %v", err)
	}
	if !got.Active() {
		t.Error("the account is not active")
	}
	for namespace, allowed := range map[string]bool{"named": true, "other": false} {
		client := credential.ReadClient(builder.ClientCredential(namespace, "orders", builder.ForAccount("acme")))
		subject := credential.Subject{Client: client, Account: got, Namespace: credential.Namespace{
			Name: namespace, Labels: map[string]string{"team": "acme"},
		}}
		if err := (credential.Rules{}).Judge(subject); (err == nil) != allowed {
			t.Errorf("namespace %s: got %v", namespace, err)
		}
	}
}
