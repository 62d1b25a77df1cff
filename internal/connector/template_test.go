// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"strings"
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

func TestExpand(t *testing.T) {
	for _, row := range []struct {
		name, template string
		properties     map[string]string
		want, reason   string
	}{
		{name: "a URL without properties is what it is", template: "https://api.example.com/token?x=1", want: "https://api.example.com/token?x=1"},
		{
			name: "a property in the host", template: "https://{Subdomain}.example.com/token",
			properties: map[string]string{"Subdomain": "acme-ltd"}, want: "https://acme-ltd.example.com/token",
		},
		{
			name: "a property in the path is escaped", template: "https://example.com/{Tenant}/token",
			properties: map[string]string{"Tenant": "a/../b?c#d"}, want: "https://example.com/a%2F..%2Fb%3Fc%23d/token",
		},
		{
			name: "a property in the query is escaped", template: "https://example.com/token?tenant={Tenant}&x=1",
			properties: map[string]string{"Tenant": "a&b=c"}, want: "https://example.com/token?tenant=a%26b%3Dc&x=1",
		},
		{
			name: "a host that leads elsewhere", template: "https://{Subdomain}.example.com/token",
			properties: map[string]string{"Subdomain": "evil.example/"}, reason: v1alpha1.ReasonInvalidProperty,
		},
		{
			name: "a host with a user", template: "https://{Subdomain}.example.com/token",
			properties: map[string]string{"Subdomain": "a@b"}, reason: v1alpha1.ReasonInvalidProperty,
		},
		{
			name: "a host with a port", template: "https://{Subdomain}.example.com/token",
			properties: map[string]string{"Subdomain": "a:1"}, reason: v1alpha1.ReasonInvalidProperty,
		},
		{
			name: "two dots in the path", template: "https://example.com/{Tenant}/token",
			properties: map[string]string{"Tenant": ".."}, reason: v1alpha1.ReasonInvalidProperty,
		},
		{name: "a property that is missing", template: "https://{Subdomain}.example.com/token", reason: v1alpha1.ReasonInvalidProperty},
		{
			name: "a property that is empty", template: "https://{Subdomain}example.com/token",
			properties: map[string]string{"Subdomain": ""}, reason: v1alpha1.ReasonInvalidProperty,
		},
		{
			name: "the client secret is for no URL", template: "https://example.com/{ClientSecret}",
			properties: map[string]string{"ClientSecret": "x"}, reason: v1alpha1.ReasonInvalidProperty,
		},
		{name: "braces that are no property", template: "https://example.com{/token", reason: v1alpha1.ReasonInvalidConnector},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := connector.Expand(row.template, row.properties)
			if found, is := fault.As(err); row.reason != "" && (!is || found.Reason != row.reason) || row.reason == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if row.reason == "" && got != row.want {
				t.Errorf("got %s", got)
			}
			for _, value := range row.properties {
				if err != nil && value != "" && value != ".." && value != "x" && strings.Contains(err.Error(), value) {
					t.Errorf("%v quotes the value", err)
				}
			}
		})
	}
}

// TestAConfigurationIsAnotherWithAnyOfItsParts, also where one part ends where the next could begin.
func TestAConfigurationIsAnotherWithAnyOfItsParts(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][4]string{{"a", "b", "c", "d"}, {"a", "b", "c", ""}, {"a", "b", "", "cd"}, {"a", "bc", "", "d"}, {"ab", "", "c", "d"}} {
		name := connector.Configuration(parts[0], parts[1], oauth.NewSecret(parts[2]), parts[3])
		if seen[name] {
			t.Errorf("%q is one that there was", parts)
		}
		seen[name] = true
	}
}
