// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

// forged are headers by which a caller may try to be somebody else: the four, as they are and as a CGI program would read them.
var forged = http.Header{
	"X-Claviger-Client-Id": {"forged"}, "X-Claviger-Account": {"forged", "forged too"}, "x-claviger-scope": {"forged"}, "X-CLAVIGER-EXPIRES": {"forged"},
	"X_Claviger_Account": {"forged"}, "X-Claviger_Account": {"forged"}, "X_Claviger_Client_Id": {"forged"},
}

// request makes a request for a place with a token, and forged headers where they are wanted.
func (g *gateway) request(method, path, token string, more http.Header) *http.Request {
	GinkgoHelper()
	request, err := http.NewRequest(method, g.url+path, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	for name, values := range more {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return request
}

func echoed(answer harness.Answer) echo {
	GinkgoHelper()
	Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
	var got echo
	Expect(json.Unmarshal([]byte(answer.Body), &got)).To(Succeed())
	return got
}

var _ = Describe("what is guarded", func() {
	eachGateway(func(g *gateway) {
		It("is told who calls, and what a caller says of itself does not get through", func() {
			token := world.Service.TakeToken(world.Both, "scope", "Webhook MCP")
			got := echoed(harness.Do(g.request(http.MethodGet, "/acme/orders", token, forged)))
			Expect(got.Header["X-Claviger-Client-Id"]).To(Equal([]string{"acme.both"}))
			Expect(got.Header["X-Claviger-Account"]).To(Equal([]string{"acme"}))
			Expect(got.Header["X-Claviger-Scope"]).To(Equal([]string{"Webhook MCP"}))
			Expect(got.Header["X-Claviger-Expires"]).To(HaveLen(1))
			_, err := time.Parse(time.RFC3339, got.Header.Get("X-Claviger-Expires"))
			Expect(err).NotTo(HaveOccurred())
			expectNothingForged(got.Header)
		})

		It("is told of no account where there is none, whatever the caller forges", func() {
			got := echoed(harness.Do(g.request(http.MethodGet, "/api", world.ConsoleToken(), forged)))
			Expect(got.Header.Get("X-Claviger-Account")).To(BeEmpty())
			Expect(got.Header.Get("X-Claviger-Client-Id")).To(Equal("claviger-system.console"))
			expectNothingForged(got.Header)
		})

		It("does not see the token", func() {
			token := world.WebhookToken()
			answer := harness.Do(g.request(http.MethodGet, "/acme/orders", token, nil))
			Expect(echoed(answer).Header).NotTo(HaveKey("Authorization"))
			Expect(answer.Body).NotTo(ContainSubstring(token))
		})

		It("gets the request as the caller sent it, and the verdict is asked for without the body", func() {
			body := strings.Repeat("order ", 10_000)
			request := g.request(http.MethodPost, "/acme/orders/7?account=other&scope=API", world.WebhookToken(), nil)
			got := echoed(send(request, body))
			Expect(got.URI).To(Equal("/acme/orders/7?account=other&scope=API"))
			Expect(got.Body).To(Equal(body))

			question := asked.question()
			Expect(question.URI).To(Equal("/verify?"+matrix.AcmeWebhook.Guard), "the guard is the gateway's, and nothing in it the caller's")
			Expect(question.Body).To(BeEmpty())
			Expect(question.Header.Get("Content-Length")).To(Or(BeEmpty(), Equal("0")))
		})

		It("streams: each event reaches the caller before the next one is sent", func() {
			response, err := http.DefaultClient.Do(g.request(http.MethodGet, "/acme/mcp/stream", world.MCPToken(), nil))
			Expect(err).NotTo(HaveOccurred())
			defer response.Body.Close()
			Expect(response.StatusCode).To(Equal(http.StatusOK))
			Expect(response.Header.Get("Content-Type")).To(Equal("text/event-stream"))
			lines := bufio.NewScanner(response.Body)
			for i := range events {
				Expect(lines.Scan()).To(BeTrue())
				Expect(lines.Text()).To(Equal("data: " + strconv.Itoa(i)))
				Expect(lines.Scan()).To(BeTrue(), "the empty line that ends an event")
				behind.release <- struct{}{}
			}
			Expect(lines.Scan()).To(BeFalse())
			Expect(lines.Err()).NotTo(HaveOccurred())
		})

		It("may refuse by itself", func() {
			answer := harness.Do(g.request(http.MethodGet, "/acme/orders/forbidden", world.WebhookToken(), nil))
			Expect(answer.Status).To(Equal(http.StatusForbidden))
			Expect(answer.Header.Values("WWW-Authenticate")).To(Equal([]string{`Bearer realm="upstream"`}))
		})
	})
})

func expectNothingForged(header http.Header) {
	GinkgoHelper()
	for name, values := range header {
		Expect(strings.Join(values, " ")).NotTo(ContainSubstring("forged"), name)
	}
}

var _ = Describe("a caller", func() {
	eachGateway(func(g *gateway) {
		It("gets the challenge of a 401, and what is guarded is not asked", func() {
			answer := harness.Do(g.request(http.MethodGet, "/acme/orders", "nonsense", nil))
			Expect(answer.Status).To(Equal(http.StatusUnauthorized))
			Expect(answer.Header.Values("WWW-Authenticate")).To(Equal(
				[]string{`Bearer realm="claviger", error="invalid_token", error_description="the access token is not valid here"`}))
		})

		It("gets the challenge of a 403, with the scope that would do", func() {
			answer := harness.Do(g.request(http.MethodGet, "/acme/mcp", world.WebhookToken(), nil))
			Expect(answer.Status).To(Equal(http.StatusForbidden))
			Expect(answer.Header.Values("WWW-Authenticate")).To(Equal([]string{`Bearer realm="claviger", error="insufficient_scope", ` +
				`error_description="the token does not have the scope that is needed here", scope="MCP"`}))
		})

		It("that brings two tokens brings none", func() {
			request := g.request(http.MethodGet, "/acme/orders", world.WebhookToken(), nil)
			request.Header.Add("Authorization", "Bearer nonsense")
			Expect(harness.Do(request).Status).To(Or(Equal(http.StatusUnauthorized), Equal(http.StatusBadRequest)))
		})

		It("that names two accounts must be good for both", func() {
			request := g.request(http.MethodGet, "/webhook", world.WebhookToken(), http.Header{app.DefaultAccountHeader: {"acme", "other"}})
			Expect(harness.Do(request).Status).To(Equal(http.StatusUnauthorized))
		})

		It("gets nowhere while the token service cannot be reached", func() {
			asked.down.Store(true)
			defer asked.down.Store(false)
			answer := harness.Do(g.request(http.MethodGet, "/acme/orders", world.WebhookToken(), nil))
			Expect(answer.Status).To(BeNumerically(">=", 500))
		})

		DescribeTable("gets nowhere by a path that nobody guards", func(path string) {
			request := g.request(http.MethodGet, "/", world.ConsoleToken(), nil)
			request.URL.Opaque = "//" + request.URL.Host + path // as it is written here, not as Go would clean it
			Expect(harness.Do(request).Status).To(Or(Equal(404), Equal(401), Equal(403), Equal(400)))
		},
			Entry(nil, "/"), Entry(nil, "/acme"), Entry(nil, "/_claviger"), Entry(nil, "/verify"), Entry(nil, "/api/../acme/orders"),
			Entry(nil, "/api/..%2facme/../acme/orders"), Entry(nil, "//acme/orders"), Entry(nil, "/acme/%6frders"),
		)
	})
})

// send sends a request with a body.
func send(request *http.Request, body string) harness.Answer {
	GinkgoHelper()
	with, err := http.NewRequest(request.Method, request.URL.String(), strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	with.Header = request.Header
	return harness.Do(with)
}
