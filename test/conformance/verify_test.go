// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

// docs/endpoints.md, "Tokens and places", row by row.
var _ = Describe("the matrix of tokens and places", func() {
	ask := matrix.Verify(func() *harness.TokenService { return service })
	matrix.Hold(matrix.Tokens(), world, ask)
	matrix.Hold(matrix.Forgeries(), world, ask)
	matrix.Hold(matrix.Guards(), world, ask)
	matrix.HoldResources(world, ask)
	matrix.Hold([]matrix.Row{{
		Name: "a guard that contradicts itself admits nobody", Token: (*matrix.World).WebhookToken,
		At: matrix.Place{Guard: "scope=Webhook&account=acme&account=other"}, Status: 403, Code: "insufficient_scope",
	}}, world, ask)
})

// The row of tokens that something has killed, at every place.
var _ = Describe("a good token dies within a second, at every place and on every replica", func() {
	matrix.HoldDeaths(world, matrix.Everywhere,
		matrix.Verify(func() *harness.TokenService { return service }), matrix.Verify(func() *harness.TokenService { return second }))
})

func webhookToken() string { return world.WebhookToken() }
func mcpToken() string     { return world.MCPToken() }
func othersToken() string  { return world.OthersToken() }
func consoleToken() string { return world.ConsoleToken() }

func text(token string) func() string { return func() string { return token } }

func tampered(token func() string) func() string {
	return func() string { return matrix.Tampered(token()) }
}

// docs/endpoints.md, "/verify".
var _ = Describe("/verify", func() {
	It("tells who was admitted, in all four headers, always", func() {
		answer := service.Verify(service.TakeToken(both, "scope", "Webhook MCP"), matrix.AcmeWebhook.Guard)
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Get("X-Claviger-Client-Id")).To(Equal("acme.both"))
		Expect(answer.Header.Get("X-Claviger-Account")).To(Equal("acme"))
		Expect(answer.Header.Get("X-Claviger-Scope")).To(Equal("Webhook MCP"))
		expires, err := time.Parse(time.RFC3339, answer.Header.Get("X-Claviger-Expires"))
		Expect(err).NotTo(HaveOccurred())
		Expect(expires).To(BeTemporally("~", time.Now().Add(14*24*time.Hour), time.Minute))
	})

	It("overwrites a forged account even where it has none to tell", func() {
		answer := service.Verify(consoleToken(), matrix.API.Guard, "X-Claviger-Account", "acme", "X-Claviger-Client-Id", "forged")
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Values("X-Claviger-Account")).To(Equal([]string{""}))
		Expect(answer.Header.Get("X-Claviger-Client-Id")).To(Equal("claviger-system.console"))
	})

	It("tells which scope would do", func() {
		Expect(service.Verify(webhookToken(), matrix.AcmeMCP.Guard).Header.Get("WWW-Authenticate")).To(ContainSubstring(`scope="MCP"`))
	})

	DescribeTable("answers any method", func(method string) {
		request, err := http.NewRequest(method, service.URL+"/verify?"+matrix.AcmeWebhook.Guard, nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+webhookToken())
		Expect(send(request, "").Status).To(Equal(http.StatusOK))
	},
		Entry(nil, http.MethodGet), Entry(nil, http.MethodHead), Entry(nil, http.MethodPost), Entry(nil, http.MethodDelete), Entry(nil, "PROPFIND"),
	)

	DescribeTable("answers 200, 401 or 403 and nothing else, whatever it is asked", func(query string, authorization ...string) {
		request, err := http.NewRequest(http.MethodGet, service.URL+"/verify", nil)
		Expect(err).NotTo(HaveOccurred())
		request.URL.RawQuery = query
		request.Header["Authorization"] = authorization
		answer := harness.Do(request)
		Expect(answer.Status).To(Or(Equal(401), Equal(403)))
		Expect(answer.Header.Get("WWW-Authenticate")).To(HavePrefix("Bearer "))
	},
		Entry("a query that does not decode", "scope=%zz", "Bearer x"),
		Entry("a scope that no scope can be", "scope=%22", "Bearer x"),
		Entry("NUL bytes", "scope=%00&account=%00", "Bearer x"),
		Entry("invalid UTF-8", "scope=%ff", "Bearer x"),
		Entry("a semicolon", "scope=Webhook;account=acme", "Bearer x"),
		Entry("two Authorization headers", matrix.AcmeWebhook.Guard, "Bearer x", "Bearer y"),
		Entry("an empty token", matrix.AcmeWebhook.Guard, "Bearer "),
		Entry("another scheme", matrix.AcmeWebhook.Guard, "Basic eDp5"),
		Entry("no scheme", matrix.AcmeWebhook.Guard, "x"),
	)
})
