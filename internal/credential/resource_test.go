// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/test/builder"
)

const toolsURL = "https://mcp.acme.example/mcp"

func tools(options ...builder.ResourceOption) *v1alpha1.ProtectedResource {
	return builder.ProtectedResource("acme", "tools", toolsURL, append([]builder.ResourceOption{builder.OfType("MCP")}, options...)...)
}

func TestReadResource(t *testing.T) {
	read := credential.ReadResource(builder.ProtectedResource("acme", "tools", "https://MCP.acme.example:443",
		builder.OfAccount("acme-ltd"), builder.OfType("MCP"), builder.Needing("orders.read", "MCP"), builder.RequiringAudience()))
	if read.Name != "acme/tools" || read.AccountID != "acme-ltd" || read.ConsoleLevel() || !read.RequireAudience {
		t.Errorf("got %+v", read)
	}
	if read.URL != "https://MCP.acme.example:443" || read.ID != "https://mcp.acme.example/" {
		t.Errorf("the URL is %s and its canonical form %s", read.URL, read.ID)
	}
	if !slices.Equal(read.Scopes, []string{"MCP", "orders.read"}) {
		t.Errorf("a token needs %q", read.Scopes)
	}
	if api := credential.ReadResource(builder.ProtectedResource("platform", "api", "https://api.example.com/")); !api.ConsoleLevel() || !slices.Equal(api.Scopes, []string{"API"}) {
		t.Errorf("got %+v", api)
	}
}

func TestJudgeResource(t *testing.T) {
	ours := builder.OfAccount("acme-ltd")
	account := func(options ...builder.AccountOption) *v1alpha1.Account {
		return builder.Account("acme-ltd", append([]builder.AccountOption{builder.Namespaces("acme"), builder.Scopes("orders.read")}, options...)...)
	}
	api := func(namespace string, options ...builder.ResourceOption) *v1alpha1.ProtectedResource {
		return builder.ProtectedResource(namespace, "api", "https://api.example.com/", options...)
	}
	for _, row := range []struct {
		name     string
		resource *v1alpha1.ProtectedResource
		account  *v1alpha1.Account
		rival    *v1alpha1.ProtectedResource
		kind     fault.Kind
		reason   string
		message  string
	}{
		{name: "an account's place may stand in a namespace of the account", resource: tools(ours), account: account()},
		{name: "with scopes of the account", resource: tools(ours, builder.Needing("orders.read", "Webhook")), account: account()},
		{name: "the platform's API may stand in a namespace of the console", resource: api("platform")},
		{
			name: "in no other", resource: api("acme"),
			kind: fault.Terminal, reason: v1alpha1.ReasonConsoleNotAllowed, message: "a resource of type API may stand only in: platform",
		},
		{
			name: "a webhook of nobody is the console's, which has none", resource: api("platform", builder.OfType("Webhook")),
			kind: fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "Webhook",
		},
		{
			name: "an API of an account is none", resource: tools(ours, builder.OfType("API")), account: account(),
			kind: fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "scope API",
		},
		{
			name: "the account must exist", resource: tools(ours),
			kind: fault.Waiting, reason: v1alpha1.ReasonAccountNotFound, message: "acme-ltd",
		},
		{
			name: "it must allow the namespace", resource: tools(ours), account: account(builder.Namespaces("beta")),
			kind: fault.Terminal, reason: v1alpha1.ReasonNamespaceNotAllowed, message: "namespace acme",
		},
		{
			name: "it must not be suspended", resource: tools(ours), account: account(builder.Suspended()),
			kind: fault.Terminal, reason: v1alpha1.ReasonAccountSuspended,
		},
		{
			name: "it must have the scopes", resource: tools(ours, builder.Needing("orders.write")), account: account(),
			kind: fault.Terminal, reason: v1alpha1.ReasonScopeNotAllowed, message: "scope orders.write",
		},
		{
			name: "a suspended place is closed", resource: tools(ours, builder.Suspended()), account: account(),
			kind: fault.Terminal, reason: v1alpha1.ReasonSuspended, message: "spec.suspend",
		},
		{
			name: "one that is being deleted is closed", resource: tools(ours, builder.Suspended(), builder.Deleting(noon)), account: account(),
			kind: fault.Waiting, reason: v1alpha1.ReasonDeleting,
		},
		{
			name: "the URL must be its own", resource: tools(ours), account: account(),
			rival: builder.ProtectedResource("acme", "elder", toolsURL),
			kind:  fault.Terminal, reason: v1alpha1.ReasonResourceConflict, message: "the URL belongs to another ProtectedResource of this namespace",
		},
		{
			name: "of a rival elsewhere it is not told which it is", resource: tools(ours), account: account(),
			rival: builder.ProtectedResource("hidden", "quagga", toolsURL),
			kind:  fault.Terminal, reason: v1alpha1.ReasonResourceConflict, message: "the URL belongs to a ProtectedResource of another namespace",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			subject := credential.ResourceSubject{
				Resource: credential.ReadResource(row.resource), Namespace: credential.Namespace{Name: row.resource.Namespace},
			}
			if row.account != nil {
				subject.Account, _ = credential.ReadAccount(row.account)
			}
			if row.rival != nil {
				subject.Rival = credential.ReadResource(row.rival)
			}
			err := credential.Rules{ConsoleNamespaces: []string{"platform"}}.JudgeResource(subject)
			if row.reason == "" {
				if err != nil {
					t.Fatalf("got %v, want it allowed", err)
				}
				return
			}
			found, ok := fault.As(err)
			if !ok || found.Kind != row.kind || found.Reason != row.reason || !strings.Contains(found.Message, row.message) {
				t.Errorf("got %v, want %s with a message that says %q", err, row.reason, row.message)
			}
		})
	}
}

func TestResourceOutranks(t *testing.T) {
	claim := func(uid types.UID, created time.Time) *credential.Resource {
		return credential.ReadResource(tools(builder.UID(uid), builder.CreatedAt(created)))
	}
	for _, row := range []struct {
		name          string
		winner, loser *credential.Resource
	}{
		{"the older one has the URL", claim("b", noon), claim("a", noon.Add(time.Second))},
		{"of two of the same second, the one whose UID sorts first", claim("a", noon), claim("b", noon)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !row.winner.Outranks(row.loser) || row.loser.Outranks(row.winner) || row.winner.Outranks(row.winner) {
				t.Error("the wrong one has the URL")
			}
		})
	}
}

func TestMayHaveTokensFor(t *testing.T) {
	resource, api := credential.ReadResource(tools(builder.OfAccount("acme-ltd"))), credential.ReadResource(builder.ProtectedResource("platform", "api", toolsURL))
	client := func(options ...builder.CredentialOption) *credential.Client {
		return credential.ReadClient(builder.ClientCredential("acme", "agent", options...))
	}
	ours := builder.ForAccount("acme-ltd")
	for _, row := range []struct {
		name     string
		client   *credential.Client
		resource *credential.Resource
		want     bool
	}{
		{"a client of the account may", client(ours), resource, true},
		{"one of another account may not", client(builder.ForAccount("beta")), resource, false},
		{"one of the console may not", client(), resource, false},
		{"one of the console may at the API", client(), api, true},
		{"one of an account may not at the API", client(ours), api, false},
		{"one that lists the URL may", client(ours, builder.ForResources("https://other.example/", toolsURL)), resource, true},
		{"however it spells it", client(ours, builder.ForResources("https://MCP.acme.example:443/mcp")), resource, true},
		{"one that lists others may not", client(ours, builder.ForResources("https://mcp.acme.example/mcp/")), resource, false},
		{"listing the URL of another account's helps nobody", client(builder.ForAccount("beta"), builder.ForResources(toolsURL)), resource, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.client.MayHaveTokensFor(row.resource); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
