// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"strings"
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/controllers/connector"
	"github.com/claviger/claviger/internal/fault"
)

func TestJudge(t *testing.T) {
	for _, row := range []struct {
		name      string
		spec      v1alpha1.ConnectorSpec
		allowHTTP bool
		wrong     string
	}{
		{name: "endpoints that are URLs", spec: v1alpha1.ConnectorSpec{TokenURL: "https://example.com/token", AuthorizationURL: "https://example.com/authorize"}},
		{
			name: "a property in a URL",
			spec: v1alpha1.ConnectorSpec{TokenURL: "https://{Subdomain}.example.com/token", Properties: []v1alpha1.ConnectorProperty{{Name: "Subdomain", Pattern: "[a-z]+"}}},
		},
		{name: "http where the operator allows it", spec: v1alpha1.ConnectorSpec{TokenURL: "http://example.com/token"}, allowHTTP: true},

		{name: "http", spec: v1alpha1.ConnectorSpec{TokenURL: "http://example.com/token"}, wrong: "spec.tokenURL must be https"},
		{name: "a property that there is not", spec: v1alpha1.ConnectorSpec{RevocationURL: "https://{Subdomain}.example.com/"}, wrong: "spec.revocationURL"},
		{name: "a host that is none", spec: v1alpha1.ConnectorSpec{Issuer: "https://exa{mple.com"}, wrong: "spec.issuer"},
		{
			name: "a pattern that is none", spec: v1alpha1.ConnectorSpec{Properties: []v1alpha1.ConnectorProperty{{Name: "Region", Pattern: "("}}},
			wrong: "pattern of property Region",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := connector.Judge(&v1alpha1.Connector{Spec: row.spec}, row.allowHTTP)
			found, is := fault.As(err)
			if row.wrong == "" && err != nil || row.wrong != "" && (!is || found.Kind != fault.Terminal || !strings.Contains(found.Message, row.wrong)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
