// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

const (
	resourceHook   = "https://hooks.acme.example/resource"
	resourceTools  = matrix.ToolsURL
	resourceStrict = "https://mcp.acme.example/strict"
	resourceAPI    = "https://api.example.com/resource"
)

// docs/endpoints.md, "Resources" and "Tokens and places", where the guard names a ProtectedResource.
var _ = Describe("protected resources", Ordered, func() {
	BeforeAll(func(ctx context.Context) {
		acme := builder.OfAccount("acme")
		plane.Create(ctx,
			builder.ProtectedResource("acme", "hook", resourceHook, acme),
			builder.ProtectedResource("acme", "strict", resourceStrict, acme, builder.OfType("MCP"), builder.RequiringAudience()),
			builder.ProtectedResource("acme", "closed", "https://closed.acme.example/", acme, builder.Suspended()),
			builder.ProtectedResource(config.Namespace, "api", resourceAPI))
		for _, name := range []string{"acme/hook", "acme/tools", "acme/strict", config.Namespace + "/api"} {
			Eventually(func() int { return resourceDocument(name).Status }).Should(Equal(http.StatusOK))
		}
	})

	DescribeTable("admit what the table says", func(token func() string, name string, status int, code string) {
		answer := service.Verify(token(), "resource="+name)
		Expect(answer.Status).To(Equal(status), answer.Body)
		challenge := answer.Header.Get("WWW-Authenticate")
		if status == http.StatusOK {
			Expect(challenge).To(BeEmpty())
			return
		}
		Expect(challenge).To(ContainSubstring(`resource_metadata="` + harness.Issuer + `/.well-known/oauth-protected-resource/` + name + `"`))
		Expect(challenge).To(ContainSubstring(` scope="`))
		if code != "" {
			Expect(challenge).To(ContainSubstring(`error="` + code + `"`))
		} else {
			Expect(challenge).NotTo(ContainSubstring("error"))
		}
	},
		Entry("Webhook token at the webhook", webhookToken, "acme/hook", 200, ""),
		Entry("Webhook token at the MCP server", webhookToken, "acme/tools", 403, "insufficient_scope"),
		Entry("Webhook token at the API", webhookToken, config.Namespace+"/api", 401, "invalid_token"),
		Entry("MCP token at the MCP server", mcpToken, "acme/tools", 200, ""),
		Entry("MCP token at the webhook", mcpToken, "acme/hook", 403, "insufficient_scope"),
		Entry("MCP token where an audience is required", mcpToken, "acme/strict", 401, "invalid_token"),
		Entry("MCP token for that audience", tokenFor(&mcp, resourceStrict), "acme/strict", 200, ""),
		Entry("MCP token for that audience, elsewhere", tokenFor(&mcp, resourceStrict), "acme/tools", 401, "invalid_token"),
		Entry("another account's token", othersToken, "acme/hook", 401, "invalid_token"),
		Entry("console token at the webhook", consoleToken, "acme/hook", 401, "invalid_token"),
		Entry("console token at the API", consoleToken, config.Namespace+"/api", 200, ""),
		Entry("console token for the API", tokenFor(&console, resourceAPI), config.Namespace+"/api", 200, ""),
		Entry("no token", text(""), "acme/tools", 401, ""),
		Entry("a tampered token", tampered(mcpToken), "acme/tools", 401, "invalid_token"),
	)

	It("has no place for a token of theirs where none is named", func() {
		Expect(service.Verify(tokenFor(&mcp, resourceTools)(), "scope=MCP&account=acme").Status).To(Equal(http.StatusUnauthorized))
	})

	DescribeTable("admit nobody by a guard that is wrong", func(query string) {
		Expect(service.Verify(mcpToken(), query).Status).To(Equal(http.StatusForbidden))
	},
		Entry("with scopes", "resource=acme/tools&scope=MCP"), Entry("with an account", "resource=acme/tools&account=acme"),
		Entry("twice", "resource=acme/tools&resource=acme/tools"), Entry("empty", "resource="), Entry("unknown", "resource=acme/none"),
	)

	DescribeTable("are invalid_target", func(credentials *harness.Credentials, urls ...string) {
		form := credentials.Form()
		form["resource"] = urls
		answer, token := service.PostToken(form)
		Expect(answer.Status).To(Equal(http.StatusBadRequest))
		Expect(token.Error).To(Equal("invalid_target"))
	},
		Entry("unknown", &mcp, "https://nobody.example/"), Entry("one of two unknown", &mcp, resourceTools, "https://nobody.example/"),
		Entry("another account's", &others, resourceTools), Entry("of the other level", &mcp, resourceAPI),
		Entry("an account's for the console", &console, resourceTools), Entry("suspended", &mcp, "https://closed.acme.example/"),
		Entry("with a fragment", &mcp, resourceTools+"#x"), Entry("relative", &mcp, "/resource"),
	)

	It("are described (RFC 9728 section 2), unless they are closed or unknown", func() {
		answer := resourceDocument("acme/tools")
		Expect(answer.Header.Get("Cache-Control")).To(Equal("public, max-age=60"))
		var document map[string]any
		Expect(json.Unmarshal([]byte(answer.Body), &document)).To(Succeed())
		Expect(document).To(Equal(map[string]any{
			"resource": resourceTools, "authorization_servers": []any{harness.Issuer},
			"scopes_supported": []any{"MCP"}, "bearer_methods_supported": []any{"header"},
		}))
		Expect(resourceDocument("acme/closed").Status).To(Equal(http.StatusNotFound))
		Expect(resourceDocument("acme/none").Status).To(Equal(http.StatusNotFound))
	})
})

func tokenFor(credentials *harness.Credentials, url string) func() string {
	return func() string { return service.TakeToken(*credentials, "resource", url) }
}

func resourceDocument(name string) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, service.URL+"/.well-known/oauth-protected-resource/"+name, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	return send(request, "")
}
