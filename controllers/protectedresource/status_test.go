// SPDX-License-Identifier: Apache-2.0

package protectedresource

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/builder"
)

const toolsURL = "https://mcp.acme.example/mcp"

func reconciler(t *testing.T) *Reconciler {
	t.Helper()
	issuer, err := oauth.ParseIssuerURL("https://auth.example.com/tenants", false)
	if err != nil {
		t.Fatal(err)
	}
	return &Reconciler{Issuer: issuer, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}
}

func tools(options ...builder.ResourceOption) *v1alpha1.ProtectedResource {
	object := builder.ProtectedResource("acme", "tools", toolsURL,
		append([]builder.ResourceOption{builder.OfAccount("acme"), builder.OfType(v1alpha1.ResourceMCP), builder.Needing("orders.read")}, options...)...)
	object.Generation = 3
	return object
}

func TestConditions(t *testing.T) {
	for _, row := range []struct {
		name             string
		verdict          error
		ready            metav1.ConditionStatus
		reason, abnormal string
	}{
		{name: "a place that the rules allow is ready", ready: metav1.ConditionTrue, reason: "Registered"},
		{
			name:    "one that a human must put right is stalled",
			verdict: fault.Terminalf(v1alpha1.ReasonResourceConflict, "the URL belongs to another"),
			ready:   metav1.ConditionFalse, reason: "ResourceConflict", abnormal: v1alpha1.ConditionStalled,
		},
		{
			name:    "one that may come right by itself is reconciling",
			verdict: fault.Waitingf(v1alpha1.ReasonAccountNotFound, "Account acme does not exist"),
			ready:   metav1.ConditionFalse, reason: "AccountNotFound", abnormal: v1alpha1.ConditionReconciling,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			object := tools()
			object.Status.Conditions = []metav1.Condition{ // of a verdict before
				{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: "Suspended"},
				{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue, Reason: "Deleting"},
			}
			reconciler(t).summarize(object, findings{resource: credential.ReadResource(object), verdict: row.verdict})
			ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
			if ready == nil || ready.Status != row.ready || ready.Reason != row.reason || ready.ObservedGeneration != 3 || ready.Message == "" {
				t.Errorf("Ready is %+v", ready)
			}
			if allowed := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionAllowed); allowed == nil || allowed.Status != row.ready {
				t.Errorf("Allowed is %+v", allowed)
			}
			for _, name := range []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling} {
				if is := meta.IsStatusConditionTrue(object.Status.Conditions, name); is != (name == row.abnormal) {
					t.Errorf("%s: %v", name, is)
				}
			}
		})
	}
}

func TestValuesForSnippets(t *testing.T) {
	for _, row := range []struct {
		name      string
		object    *v1alpha1.ProtectedResource
		audiences []string
	}{
		{"tokens that name no resource are good there, too", tools(), []string{toolsURL, "https://auth.example.com/tenants"}},
		{"unless the audience is required", tools(builder.RequiringAudience()), []string{toolsURL}},
	} {
		t.Run(row.name, func(t *testing.T) {
			reconciler(t).summarize(row.object, findings{resource: credential.ReadResource(row.object), callers: 2})
			status := row.object.Status
			if status.VerifyQuery != "resource=acme/tools" || status.Scope != "MCP orders.read" || *status.Callers != 2 || status.ObservedGeneration != 3 {
				t.Errorf("got %+v", status)
			}
			if want := "https://auth.example.com/.well-known/oauth-protected-resource/acme/tools"; status.MetadataURL != want {
				t.Errorf("the metadata is at %s", status.MetadataURL)
			}
			if !slices.Equal(status.Audiences, row.audiences) {
				t.Errorf("the audiences are %q", status.Audiences)
			}
		})
	}
}

func TestCallers(t *testing.T) {
	allowed := func(c *v1alpha1.ClientCredential) *v1alpha1.ClientCredential {
		meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionAllowed, Status: metav1.ConditionTrue, Reason: "Allowed"})
		return c
	}
	acme, both := builder.ForAccount("acme"), builder.WithScopes("MCP", "orders.read")
	for _, row := range []struct {
		name   string
		caller *v1alpha1.ClientCredential
		want   bool
	}{
		{"one of the account with all scopes", allowed(builder.ClientCredential("acme", "agent", acme, both)), true},
		{"one that names the place", allowed(builder.ClientCredential("acme", "agent", acme, both, builder.ForResources(toolsURL))), true},
		{"not one that names others alone", allowed(builder.ClientCredential("acme", "agent", acme, both, builder.ForResources("https://other.example/"))), false},
		{"not one that lacks a scope", allowed(builder.ClientCredential("acme", "agent", acme, builder.WithScopes("MCP"))), false},
		{"not one of another account", allowed(builder.ClientCredential("acme", "agent", builder.ForAccount("beta"), both)), false},
		{"not one that the rules do not allow", builder.ClientCredential("acme", "agent", acme, both), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := mayCall(row.caller, credential.ReadResource(tools())); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
