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
	if got.TokenLifetime != 90*time.Minute || !slices.Equal(got.Scopes, oauth.Scopes{"MCP", "orders.read"}) || !slices.Equal(got.Verifiers, verifiers) {
		t.Errorf("got %v", got)
	}
	if got.ConsoleLevel() {
		t.Error("a client with an account is console-level")
	}
	if !credential.ReadClient(builder.ClientCredential("platform", "console")).ConsoleLevel() {
		t.Error("a client without an account is not console-level")
	}
}

func TestTokenLifetime(t *testing.T) {
	for _, row := range []struct {
		name    string
		minutes int32
		want    time.Duration
	}{
		{"left out means 14 days", 0, 14 * 24 * time.Hour},
		{"below zero means 14 days", -1, 14 * 24 * time.Hour},
		{"the least is a minute", 1, time.Minute},
		{"the most is a year", 525600, 365 * 24 * time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := credential.ReadClient(builder.ClientCredential("a", "b", builder.TokenMinutes(row.minutes)))
			if got.TokenLifetime != row.want {
				t.Errorf("got %v", got.TokenLifetime)
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
