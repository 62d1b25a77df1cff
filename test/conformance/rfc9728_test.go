// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

func rfc9728() rfc {
	const path = "/.well-known/oauth-protected-resource/acme/rfc-tools"
	document := func() map[string]any {
		GinkgoHelper()
		return read(service.URL + path)
	}
	return rfc{
		number: 9728, title: "Protected Resource Metadata",
		scope: "Sections 2, 3 and 5, for the resources that are registered. There is no signed metadata (section 2.2).",
		clauses: []clause{
			{section: "2", must: "name the resource, an https URL without fragment", hold: func() {
				Expect(document()).To(HaveKeyWithValue("resource", toolsURL))
			}, divergence: "The resource may be an http URL on loopback."},
			{section: "2", must: "name the authorization servers by their issuers", hold: func() {
				Expect(document()).To(HaveKeyWithValue("authorization_servers", []any{harness.Issuer}))
			}},
			{section: "2", must: "name the scopes of the resource, and its ways to present a token", hold: func() {
				Expect(document()).To(HaveKeyWithValue("scopes_supported", []any{"MCP"}))
				Expect(document()).To(HaveKeyWithValue("bearer_methods_supported", []any{"header"}))
			}, divergence: "Only the scopes that the resource needs: many clients ask for all that they find here."},
			{section: "3", must: "serve the metadata below /.well-known/oauth-protected-resource", hold: func() {
				Expect(document()).NotTo(BeEmpty())
			}, divergence: "The section has them at the resource's own host, with the resource's path behind. Claviger is not there: it serves them at its own, and the challenge names " +
				"the URL (section 5.1). For clients that do not look there, let the gateway at the resource's host pass that path on."},
			{section: "3.2", must: "answer 200 with a JSON object in application/json, without members that have no elements", hold: func() {
				answer := fetch(http.MethodGet, service.URL+path)
				Expect(answer.Status).To(Equal(http.StatusOK))
				Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
				for name, value := range document() {
					Expect(value).NotTo(Or(BeNil(), Equal(""), Equal([]any{})), name)
				}
			}},
			{section: "3.3", must: "name exactly the URL that tokens for the resource are for", hold: func() {
				Expect(document()["resource"]).To(Equal(claimsOf(service.TakeToken(both, "resource", toolsURL)).Audience[0]))
			}},
			{section: "5.1", must: "name the metadata as resource_metadata in the challenge, with and without a token", hold: func() {
				for _, token := range []string{"", "nonsense", service.TakeToken(webhook)} {
					Expect(service.Verify(token, "resource=acme/rfc-tools").Header.Get("WWW-Authenticate")).
						To(ContainSubstring(`resource_metadata="` + harness.Issuer + path + `"`))
				}
			}},
		},
	}
}

// registerResources registers those of these specs.
func registerResources(ctx context.Context) {
	GinkgoHelper()
	plane.Create(ctx,
		builder.ProtectedResource("acme", "rfc-tools", toolsURL, builder.OfAccount("acme"), builder.OfType(v1alpha1.ResourceMCP)),
		builder.ProtectedResource("acme", "rfc-orders", ordersURL, builder.OfAccount("acme")),
		builder.ProtectedResource("other", "rfc-orders", othersURL, builder.OfAccount("other")),
	)
	for resource, credentials := range map[string]harness.Credentials{toolsURL: both, ordersURL: both, othersURL: others} {
		Eventually(func() int {
			answer, _ := service.PostToken(credentials.Form("resource", resource))
			return answer.Status
		}).Should(Equal(http.StatusOK))
	}
}
