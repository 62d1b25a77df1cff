// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

const (
	hookURL   = "https://hooks.acme.example/orders"
	toolsURL  = "https://mcp.acme.example/mcp"
	strictURL = "https://MCP.acme.example/strict"
	betaURL   = "https://hooks.beta.example"
	apiURL    = "https://api.example.com/"
)

// newResourceWorld has besides acme's webhook acme/hook, its MCP servers acme/tools and acme/strict, which needs orders.read too and
// a token of its own, beta/hook and platform/api; and the credential acme.tied, which has all scopes and names acme/tools alone.
func newResourceWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	acme, mcp := builder.OfAccount("acme"), builder.OfType("MCP")
	w.resource("acme", "hook", hookURL, acme)
	w.resource("acme", "tools", toolsURL, acme, mcp)
	w.resource("acme", "strict", strictURL, acme, mcp, builder.Needing("orders.read"), builder.RequiringAudience())
	w.resource("beta", "hook", betaURL, builder.OfAccount("beta"))
	w.resource("platform", "api", apiURL)
	w.credential("acme", "tied", builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP", "orders.read"), builder.ForResources(toolsURL))
	return w
}

// resource stores a ProtectedResource, in place of one of the same name.
func (w *world) resource(namespace, name, url string, options ...builder.ResourceOption) {
	options = append([]builder.ResourceOption{builder.UID(types.UID("resource " + namespace + name)), builder.CreatedAt(noon)}, options...)
	w.directory.Store(builder.ProtectedResource(namespace, name, url, options...))
}

// issueFor gives a token for resources to a client that must get one.
func (w *world) issueFor(t *testing.T, clientID string, resources ...string) issuer.Grant {
	t.Helper()
	wanted := request(clientID)
	wanted.Resources = resources
	grant, err := w.Issue(wanted)
	if err != nil {
		t.Fatalf("no token for %s: %v", clientID, err)
	}
	return grant
}

func (w *world) need(t *testing.T, name string, accounts ...string) issuer.Need {
	t.Helper()
	need, err := w.ResourceNeed(name, accounts...)
	if err != nil {
		t.Fatal(err)
	}
	return need
}

// TestResourceMatrix is the table "Tokens and places" of docs/endpoints.md where the guard names a ProtectedResource.
func TestResourceMatrix(t *testing.T) {
	w := newResourceWorld(t)
	columns := []string{"acme/hook", "acme/tools", "acme/strict", "beta/hook", "platform/api", "the webhook by its scope", "the API by its scope"}
	at := func(column string) issuer.Need {
		switch column {
		case "the webhook by its scope":
			return places()["acme's webhook"]
		case "the API by its scope":
			return places()["the API"]
		default:
			return w.need(t, column)
		}
	}
	issued := func(client string, scopes ...string) string { return w.issue(t, client, scopes...).AccessToken }
	issuedFor := func(client string, resources ...string) string {
		return w.issueFor(t, client, resources...).AccessToken
	}
	for _, row := range []struct {
		name  string
		token string
		want  []string
	}{
		{"Webhook, for no resource", issued("acme.orders"), []string{yes, no, un, un, un, yes, un}},
		{"MCP, for no resource", issued("acme.agents"), []string{no, yes, un, un, un, no, un}},
		{"all scopes, for no resource", issued("acme.all"), []string{yes, yes, un, un, un, yes, un}},
		{"all scopes, for the webhook", issuedFor("acme.all", hookURL), []string{yes, un, un, un, un, un, un}},
		{"all scopes, for the MCP server", issuedFor("acme.all", toolsURL), []string{un, yes, un, un, un, un, un}},
		{"all scopes, for the strict one", issuedFor("acme.all", "https://mcp.acme.example/strict"), []string{un, un, yes, un, un, un, un}},
		{"all scopes, for both", issuedFor("acme.all", toolsURL, strictURL), []string{un, yes, yes, un, un, un, un}},
		{"MCP alone, for the strict one", issuedFor("acme.agents", strictURL), []string{un, un, no, un, un, un, un}},
		{"Webhook alone, for the MCP server", issuedFor("acme.orders", toolsURL), []string{un, no, un, un, un, un, un}},
		{"a client that names the MCP server", issued("acme.tied"), []string{un, yes, un, un, un, un, un}},
		{"and asks for it", issuedFor("acme.tied", toolsURL), []string{un, yes, un, un, un, un, un}},
		{"another account's", issued("beta.orders"), []string{un, un, un, yes, un, un, un}},
		{"another account's, for its webhook", issuedFor("beta.orders", betaURL), []string{un, un, un, yes, un, un, un}},
		{"the console's", issued("platform.console"), []string{un, un, un, un, yes, un, yes}},
		{"the console's, restricted to acme", issued("platform.console", "account:acme"), []string{un, un, un, un, yes, un, yes}},
		{"the console's, for the API", issuedFor("platform.console", apiURL), []string{un, un, un, un, yes, un, un}},
		{"for a resource of somebody else's server", w.forge(t, issuerURL, "https://b"), []string{un, un, un, un, un, un, un}},
		{"another account's that names acme's URL", w.betaFor(t, hookURL), []string{un, un, un, un, un, un, un}},
	} {
		for i, column := range columns {
			t.Run(row.name+", at "+column, func(t *testing.T) {
				if _, err := w.Authorize(row.token, at(column)); verdictOf(err) != row.want[i] {
					t.Errorf("got %v, want %s", err, row.want[i])
				}
			})
		}
	}
}

// betaFor signs a token of beta's with our key whose aud is what no token of beta's can have.
func (w *world) betaFor(t *testing.T, aud string) string {
	t.Helper()
	claims := w.claims(t, w.issue(t, "beta.orders").AccessToken)
	claims.Audience = []string{aud}
	raw, err := token.Mint(issuerURL, w.ring(t), claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestResourceAccounts: the account header counts at the API, and contradicts at an account's place.
func TestResourceAccounts(t *testing.T) {
	w := newResourceWorld(t)
	restricted := w.issue(t, "platform.console", "account:acme").AccessToken
	for _, row := range []struct{ name, token, place, header, want string }{
		{"the console's token for any account", w.issue(t, "platform.console").AccessToken, "platform/api", "beta", yes},
		{"a restricted one for its own", restricted, "platform/api", "acme", yes},
		{"a restricted one for another", restricted, "platform/api", "beta", no},
		{"an account's for its own", w.issue(t, "acme.orders").AccessToken, "acme/hook", "acme", yes},
		{"an account's for another", w.issue(t, "acme.orders").AccessToken, "acme/hook", "beta", un},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := w.Authorize(row.token, w.need(t, row.place, row.header)); verdictOf(err) != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

// TestResourceNow: what happens to a place, or to what a client names, counts for tokens that are out already.
func TestResourceNow(t *testing.T) {
	acme, mcp := builder.OfAccount("acme"), builder.OfType("MCP")
	for _, row := range []struct {
		name   string
		happen func(*world)
		want   string
		reason string
	}{
		{"nothing happens", func(*world) {}, yes, ""},
		{"the place is suspended", func(w *world) { w.resource("acme", "tools", toolsURL, acme, mcp, builder.Suspended()) }, no, v1alpha1.ReasonSuspended},
		{"it moves to another URL", func(w *world) { w.resource("acme", "tools", toolsURL+"/v2", acme, mcp) }, un, ""},
		{"it moves to another account", func(w *world) { w.resource("acme", "tools", toolsURL, builder.OfAccount("beta"), mcp) }, un, ""},
		{"it needs another scope", func(w *world) { w.resource("acme", "tools", toolsURL, acme, mcp, builder.Needing("orders.read")) }, no, ""},
		{
			"an older one claims its URL",
			func(w *world) {
				w.resource("acme", "elder", toolsURL, acme, mcp, builder.CreatedAt(noon.Add(-time.Hour)))
			}, no, v1alpha1.ReasonResourceConflict,
		},
		{"its namespace is no longer allowed, nor its clients", func(w *world) { w.account("acme", builder.Namespaces("beta")) }, un, v1alpha1.ReasonNamespaceNotAllowed},
		{"the client names another", func(w *world) {
			w.credential("acme", "agents", builder.ForAccount("acme"), builder.WithScopes("MCP"), builder.ForResources(strictURL))
		}, un, ""},
		{"the client names it", func(w *world) {
			w.credential("acme", "agents", builder.ForAccount("acme"), builder.WithScopes("MCP"), builder.ForResources(strictURL, toolsURL))
		}, yes, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newResourceWorld(t)
			raw := w.issueFor(t, "acme.agents", toolsURL).AccessToken
			row.happen(w)
			_, err := w.Authorize(raw, w.need(t, "acme/tools"))
			if verdictOf(err) != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if found, _ := fault.As(err); row.reason != "" && (found == nil || found.Reason != row.reason) {
				t.Errorf("got %v, want %s", err, row.reason)
			}
		})
	}
}

// TestClosedPlaceTellsOnlyTheEntitled: who could not get in anyway does not hear that the place is closed.
func TestClosedPlaceTellsOnlyTheEntitled(t *testing.T) {
	w := newResourceWorld(t)
	w.resource("acme", "hook", hookURL, builder.OfAccount("acme"), builder.Suspended())
	need := w.need(t, "acme/hook")
	if !need.Closed() {
		t.Fatal("the place is open")
	}
	if _, err := w.Authorize(w.issue(t, "beta.orders").AccessToken, need); verdictOf(err) != un {
		t.Errorf("another account: got %v", err)
	}
	if _, err := w.Authorize(w.issue(t, "acme.orders").AccessToken, need); verdictOf(err) != no {
		t.Errorf("its own: got %v", err)
	}
}

func TestUnknownPlace(t *testing.T) {
	w := newResourceWorld(t)
	for _, name := range []string{"", "acme", "acme/", "/", "acme/nobody", "beta/tools", toolsURL} {
		if need, err := w.ResourceNeed(name); codeOf(err) != oauth.CodeInsufficientScope || need.Resource != nil || need.Scopes != nil {
			t.Errorf("%q: got %+v, %v", name, need, err)
		}
	}
	w.Directory = unsynced{w.directory}
	if _, err := w.ResourceNeed("acme/nobody"); codeOf(err) != oauth.CodeServerError {
		t.Errorf("before all objects are known: %v", err)
	}
	if _, _, err := w.ResourceMetadata("acme/nobody"); codeOf(err) != oauth.CodeServerError {
		t.Errorf("metadata, before all objects are known: %v", err)
	}
}

// unsynced does not know every object yet.
type unsynced struct{ *kube.Directory }

func (unsynced) Synced() bool { return false }

func TestResourceMetadata(t *testing.T) {
	w := newResourceWorld(t)
	full := builder.ProtectedResource("acme", "strict", strictURL, builder.OfAccount("acme"), builder.OfType("MCP"), builder.Needing("orders.read"))
	full.Spec.DisplayName, full.Spec.DocumentationURL = "Acme tools", "https://docs.acme.example/"
	w.directory.Store(full)
	got, found, err := w.ResourceMetadata("acme/strict")
	want := oauth.ResourceMetadata{
		Resource: strictURL, AuthorizationServers: []string{issuerURL}, Scopes: oauth.Scopes{"MCP", "orders.read"}, BearerMethods: []string{"header"},
		Name: "Acme tools", Documentation: "https://docs.acme.example/",
	}
	if err != nil || !found || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %v", got, found, err)
	}
	w.resource("acme", "hook", hookURL, builder.OfAccount("acme"), builder.Suspended())
	for _, name := range []string{"acme/nobody", "acme/hook"} {
		if got, found, err := w.ResourceMetadata(name); found || err != nil || got.Resource != "" {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// TestAuthorizeAllocatesLittle: a registered place costs no more than a few allocations beyond one that is not.
func TestAuthorizeAllocatesLittle(t *testing.T) {
	w := newResourceWorld(t)
	raw, webhook := w.issue(t, "acme.orders").AccessToken, places()["acme's webhook"]
	plain := testing.AllocsPerRun(20, func() { _, _ = w.Authorize(raw, webhook) })
	registered := testing.AllocsPerRun(20, func() {
		need, err := w.ResourceNeed("acme/hook")
		if _, refused := w.Authorize(raw, need); errors.Join(err, refused) != nil {
			t.Fatal(err, refused)
		}
	})
	if registered > plain+5 {
		t.Errorf("got %v, and %v without", registered, plain)
	}
}
