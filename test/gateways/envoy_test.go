// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

// envoyHTTP plays the HTTP ext_authz of Envoy: it asks with the method and, behind a prefix, with the path of the call, without
// its body, and with those headers that are allowed: Authorization always, the account header by configuration.
func envoyHTTP(method, path string) matrix.Ask {
	return func(token string, at matrix.Place) harness.Answer {
		GinkgoHelper()
		guard := strings.ReplaceAll(at.Guard, "/", "%2F")
		return envoyAsks(method, "/verify/envoy/"+guard+"/"+path, token, at)
	}
}

// envoyOverride plays an Envoy that knows path_override.
func envoyOverride(token string, at matrix.Place) harness.Answer {
	GinkgoHelper()
	return envoyAsks(http.MethodPost, "/verify?"+at.Guard, token, at)
}

func envoyAsks(method, target, token string, at matrix.Place) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(method, world.Service.URL, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.URL.Opaque = target // as it is, not as Go would write it
	request.Host = "hooks.acme.example"
	request.Header.Set("Content-Length", "0")
	request.Header.Set("X-Envoy-Internal", "true")
	request.Header.Set("X-Forwarded-For", "10.0.0.7")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(at.Headers()); i += 2 {
		request.Header.Set(at.Headers()[i], at.Headers()[i+1])
	}
	return harness.Do(request)
}

var _ = Describe("Envoy over HTTP", func() {
	Describe("with path_prefix", func() {
		ask := envoyHTTP(http.MethodPost, "/orders/7?account=other&scope=API")
		matrix.Hold(matrix.Tokens(), world, ask)
		matrix.Hold(matrix.Forgeries(), world, ask)
		matrix.Hold(matrix.Guards(), world, ask)
		matrix.HoldDeaths(world, matrix.Everywhere, ask)
		matrix.HoldResources(world, ask)
	})

	Describe("with path_override", func() {
		matrix.Hold(matrix.Tokens(), world, envoyOverride)
		matrix.Hold(matrix.Forgeries(), world, envoyOverride)
		matrix.HoldResources(world, envoyOverride)
	})

	DescribeTable("whatever path a caller chooses, the guard stays what the gateway says", func(path string) {
		token := world.WebhookToken()
		Expect(envoyHTTP(http.MethodGet, path)(token, matrix.AcmeMCP).Status).To(Equal(http.StatusForbidden))
		Expect(envoyHTTP(http.MethodGet, path)(token, matrix.OtherWebhook).Status).To(Equal(http.StatusUnauthorized))
		Expect(envoyHTTP(http.MethodGet, path)(token, matrix.AcmeWebhook).Status).To(Equal(http.StatusOK))
	},
		Entry(nil, "/"), Entry(nil, "//"), Entry(nil, "/.."), Entry(nil, "/../scope=Webhook&account=acme//"), Entry(nil, "/%2e%2e/scope=Webhook//"),
		Entry(nil, "/?scope=Webhook&account=acme"), Entry(nil, "/&scope=Webhook"), Entry(nil, "/a|b\"c"), Entry(nil, "/;scope=Webhook"), Entry(nil, "/%2F%2f%26"),
	)

	It("asks nobody by OPTIONS *, which has no path", func() {
		Expect(envoyHTTP(http.MethodOptions, "*")(world.WebhookToken(), matrix.AcmeWebhook).Status).To(Equal(http.StatusForbidden))
	})

	It("gets the challenge, and all four headers", func() {
		answer := envoyHTTP(http.MethodGet, "/tools")(world.WebhookToken(), matrix.AcmeMCP)
		Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`scope="MCP"`))
		answer = envoyHTTP(http.MethodGet, "/api")(world.ConsoleToken(), matrix.API)
		Expect(answer.Header.Values("X-Claviger-Account")).To(Equal([]string{""}), "there, so that Envoy overwrites")
		Expect(answer.Header.Get("X-Claviger-Client-Id")).To(Equal("claviger-system.console"))
	})
})
