// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// URLs of two resources of account acme and one of account other, which registerResources registers.
const (
	toolsURL  = "https://mcp.acme.example/mcp"
	ordersURL = "https://hooks.acme.example/orders"
	othersURL = "https://hooks.other.example/"
)

func rfc8707() rfc {
	invalid := func(resources ...string) {
		GinkgoHelper()
		for _, resource := range resources {
			answer, token := service.PostToken(both.Form("resource", resource))
			Expect(answer.Status).To(Equal(http.StatusBadRequest), resource)
			Expect(token.Error).To(Equal("invalid_target"), resource)
		}
	}
	return rfc{
		number: 8707, title: "Resource Indicators",
		scope: "Section 2 as far as it concerns the token endpoint (2.2). There is no authorization request, so section 2.1 has nothing to apply to.",
		clauses: []clause{
			{section: "2", must: "refuse a resource that is no absolute URI, or has a fragment, with invalid_target", hold: func() {
				invalid("mcp", "/mcp", "mcp.acme.example/mcp", toolsURL+"#fragment")
			}},
			{section: "2", must: "refuse a resource that it does not know, or that is not for this client, with invalid_target", hold: func() {
				invalid("https://nobody.example/", othersURL)
			}, divergence: "One text for all causes, so that nobody learns which resources others have."},
			{section: "2", must: "take several resources in one request", hold: func() {
				token := service.TakeToken(both, "resource", toolsURL, "resource", ordersURL)
				Expect(claimsOf(token).Audience).To(ConsistOf(toolsURL, ordersURL))
			}, divergence: "All of them or none: one that is refused refuses the request."},
			{section: "2.2", must: "make the token good at the resources that were asked for, and nowhere else", hold: func() {
				token := service.TakeToken(both, "resource", toolsURL)
				Expect(claimsOf(token).Audience).To(ConsistOf(toolsURL))
				Expect(service.Verify(token, "resource=acme/rfc-tools").Status).To(Equal(http.StatusOK))
				Expect(service.Verify(token, "resource=acme/rfc-orders").Status).To(Equal(http.StatusUnauthorized))
				Expect(service.Verify(token, "scope=MCP&account=acme").Status).To(Equal(http.StatusUnauthorized))
			}},
		},
	}
}
