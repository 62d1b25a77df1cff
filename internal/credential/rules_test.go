// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/test/builder"
)

var (
	teamAcme = metav1.LabelSelector{MatchLabels: map[string]string{"team": "acme"}}
	anyTeam  = metav1.LabelSelector{}
)

// verdict is a row of a table of verdicts.
type verdict struct {
	name       string
	credential *v1alpha1.ClientCredential
	account    *v1alpha1.Account
	labels     labels.Set
	rival      *v1alpha1.ClientCredential
	kind       fault.Kind
	reason     string
	message    string
}

func (v verdict) check(t *testing.T) {
	t.Helper()
	client := credential.ReadClient(v.credential)
	subject := credential.Subject{Client: client, Namespace: credential.Namespace{Name: client.Namespace, Labels: v.labels}}
	if v.account != nil {
		account, err := credential.ReadAccount(v.account)
		if err != nil {
			t.Fatal(err)
		}
		subject.Account = account
	}
	if v.rival != nil {
		subject.Rival = credential.ReadClient(v.rival)
	}
	err := credential.Rules{ConsoleNamespaces: []string{"platform", "ops"}}.Judge(subject)
	if v.reason == "" {
		if err != nil {
			t.Fatalf("got %v, want it allowed", err)
		}
		return
	}
	found, ok := fault.As(err)
	if !ok || found.Kind != v.kind || found.Reason != v.reason || !strings.Contains(found.Message, v.message) {
		t.Errorf("got %v, want %s with a message that says %q", err, v.reason, v.message)
	}
}

func TestJudgeConsoleLevel(t *testing.T) {
	for _, row := range []verdict{
		{name: "a console-level credential may stand in a namespace for such", credential: builder.ClientCredential("platform", "console")},
		{name: "in any of them", credential: builder.ClientCredential("ops", "console")},
		{
			name:       "in no other",
			credential: builder.ClientCredential("acme", "console"),
			kind:       fault.Terminal, reason: v1alpha1.ReasonConsoleNotAllowed, message: "platform, ops",
		},
		{
			name:       "labels do not help",
			credential: builder.ClientCredential("acme", "console"), labels: labels.Set{"team": "platform"},
			kind: fault.Terminal, reason: v1alpha1.ReasonConsoleNotAllowed,
		},
		{
			name:       "an account's scope is not allowed",
			credential: builder.ClientCredential("platform", "console", builder.WithScopes("API", "MCP")),
			kind:       fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "MCP",
		},
		{
			name:       "letter case matters",
			credential: builder.ClientCredential("platform", "console", builder.WithScopes("api")),
			kind:       fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "api",
		},
		{
			name:       "the namespace comes before the scopes",
			credential: builder.ClientCredential("acme", "console", builder.WithScopes("MCP")),
			kind:       fault.Terminal, reason: v1alpha1.ReasonConsoleNotAllowed,
		},
		{
			name:       "a suspended one is refused",
			credential: builder.ClientCredential("platform", "console", builder.Suspended()),
			kind:       fault.Terminal, reason: v1alpha1.ReasonSuspended, message: "spec.suspend",
		},
		{
			name:       "one that is being deleted is refused",
			credential: builder.ClientCredential("platform", "console", builder.Deleting(noon)),
			kind:       fault.Waiting, reason: v1alpha1.ReasonDeleting,
		},
		{
			name:       "deletion comes before suspension",
			credential: builder.ClientCredential("platform", "console", builder.Suspended(), builder.Deleting(noon)),
			kind:       fault.Waiting, reason: v1alpha1.ReasonDeleting,
		},
		{
			name:       "suspension comes before the namespace",
			credential: builder.ClientCredential("acme", "console", builder.Suspended()),
			kind:       fault.Terminal, reason: v1alpha1.ReasonSuspended,
		},
	} {
		t.Run(row.name, row.check)
	}
}

func TestJudgeAccountLevel(t *testing.T) {
	orders := func(options ...builder.CredentialOption) *v1alpha1.ClientCredential {
		return builder.ClientCredential("acme", "orders", append(options, builder.ForAccount("acme-ltd"))...)
	}
	account := func(options ...builder.AccountOption) *v1alpha1.Account {
		return builder.Account("acme-ltd", options...)
	}
	named := builder.Namespaces("beta", "acme")
	for _, row := range []verdict{
		{name: "a credential may stand in a namespace that the account names", credential: orders(), account: account(named)},
		{name: "or selects", credential: orders(), account: account(builder.Selector(teamAcme)), labels: labels.Set{"team": "acme", "x": "y"}},
		{name: "or names though its selector selects others", credential: orders(), account: account(named, builder.Selector(teamAcme))},
		{name: "an empty selector selects every namespace", credential: orders(), account: account(builder.Selector(anyTeam))},
		{name: "both built-in scopes are allowed", credential: orders(builder.WithScopes("MCP", "Webhook")), account: account(named)},
		{name: "and the account's own", credential: orders(builder.WithScopes("MCP", "orders.read")), account: account(named, builder.Scopes("orders.write", "orders.read"))},
		{
			name:       "the account must exist",
			credential: orders(), kind: fault.Waiting, reason: v1alpha1.ReasonAccountNotFound, message: "acme-ltd",
		},
		{
			name:       "the account must not be suspended",
			credential: orders(), account: account(named, builder.Suspended()),
			kind: fault.Terminal, reason: v1alpha1.ReasonAccountSuspended, message: "acme-ltd",
		},
		{
			name:       "the account must not be being deleted",
			credential: orders(), account: account(named, builder.Deleting(noon)),
			kind: fault.Terminal, reason: v1alpha1.ReasonAccountSuspended,
		},
		{
			name:       "an account that names nothing allows no namespace",
			credential: orders(), account: account(),
			kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed, message: "acme",
		},
		{
			name:       "a namespace that is not named is not allowed",
			credential: orders(), account: account(builder.Namespaces("acme2")),
			kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed,
		},
		{
			name:       "a namespace with another label is not selected",
			credential: orders(), account: account(builder.Selector(teamAcme)), labels: labels.Set{"team": "beta"},
			kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed,
		},
		{
			name:       "a namespace without labels is not selected",
			credential: orders(), account: account(builder.Selector(teamAcme)),
			kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed,
		},
		{
			name:       "a scope that the account has not is not allowed",
			credential: orders(builder.WithScopes("Webhook", "orders.write")), account: account(named, builder.Scopes("orders.read")),
			kind: fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "scope orders.write is not one of Account acme-ltd: MCP, Webhook, orders.read",
		},
		{
			name:       "the console's scope is not allowed",
			credential: orders(builder.WithScopes("API")), account: account(named),
			kind: fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "API",
		},
		{
			name:       "a namespace for console-level credentials is nothing special here",
			credential: builder.ClientCredential("platform", "orders", builder.ForAccount("acme-ltd")), account: account(named),
			kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed,
		},
		{
			name:       "a suspended credential is refused",
			credential: orders(builder.Suspended()), account: account(named), kind: fault.Terminal, reason: v1alpha1.ReasonSuspended,
		},
		{
			name:       "one that is being deleted is refused",
			credential: orders(builder.Deleting(noon)), account: account(named), kind: fault.Waiting, reason: v1alpha1.ReasonDeleting,
		},
		{
			name:       "the credential's own suspension comes before its account",
			credential: orders(builder.Suspended()), kind: fault.Terminal, reason: v1alpha1.ReasonSuspended,
		},
		{
			name:       "the namespace comes before the account's suspension, which is not everybody's business",
			credential: orders(), account: account(builder.Suspended()), kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed,
		},
		{
			name:       "the namespace comes before the scopes",
			credential: orders(builder.WithScopes("x")), account: account(), kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed,
		},
	} {
		t.Run(row.name, row.check)
	}
}

// TestJudgeWithARival: an object of another namespace is not named, for its existence is not everybody's business.
func TestJudgeWithARival(t *testing.T) {
	claim := builder.ClientIDOverride("acme.orders")
	console := func(options ...builder.CredentialOption) *v1alpha1.ClientCredential {
		return builder.ClientCredential("platform", "console", append(options, claim)...)
	}
	neighbour := builder.ClientCredential("platform", "elder", claim)
	stranger := builder.ClientCredential("acme", "orders")
	for _, row := range []verdict{
		{
			name:       "one of two in a namespace is told that the other has the client ID",
			credential: console(), rival: neighbour,
			kind: fault.Terminal, reason: v1alpha1.ReasonClientIDConflict, message: "client ID acme.orders belongs to another ClientCredential of this namespace",
		},
		{
			name:       "of two in different namespaces it is not told which the other is",
			credential: console(), rival: stranger,
			kind: fault.Terminal, reason: v1alpha1.ReasonClientIDConflict, message: "client ID acme.orders belongs to a ClientCredential of another namespace",
		},
		{
			name:       "a rival that is suspended has the client ID all the same",
			credential: console(), rival: builder.ClientCredential("platform", "elder", claim, builder.Suspended()),
			kind: fault.Terminal, reason: v1alpha1.ReasonClientIDConflict,
		},
		{
			name:       "suspension comes before the rival",
			credential: console(builder.Suspended()), rival: neighbour, kind: fault.Terminal, reason: v1alpha1.ReasonSuspended,
		},
		{
			name:       "and so does deletion",
			credential: console(builder.Deleting(noon)), rival: neighbour, kind: fault.Waiting, reason: v1alpha1.ReasonDeleting,
		},
		{
			name:       "the rival comes before the namespace",
			credential: builder.ClientCredential("beta", "console", claim), rival: stranger,
			kind: fault.Terminal, reason: v1alpha1.ReasonClientIDConflict,
		},
		{
			name:       "the rival comes before the account",
			credential: builder.ClientCredential("beta", "console", claim, builder.ForAccount("acme-ltd")), rival: stranger,
			kind: fault.Terminal, reason: v1alpha1.ReasonClientIDConflict,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.check(t)
			err := credential.Rules{}.Judge(credential.Subject{
				Client:    credential.ReadClient(row.credential),
				Namespace: credential.Namespace{Name: row.credential.Namespace},
				Rival:     credential.ReadClient(builder.ClientCredential("hidden", "quagga", claim)),
			})
			if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "quagga") {
				t.Errorf("%v names an object of another namespace", err)
			}
		})
	}
}

// TestConsoleNeedsANamespace: without configuration no console-level credential is allowed anywhere.
func TestConsoleNeedsANamespace(t *testing.T) {
	client := credential.ReadClient(builder.ClientCredential("", "console"))
	err := credential.Rules{}.Judge(credential.Subject{Client: client})
	if found, ok := fault.As(err); !ok || found.Reason != v1alpha1.ReasonConsoleNotAllowed {
		t.Errorf("got %v", err)
	}
}
