// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

// docs/endpoints.md, "POST /oauth/introspect", by the sections of RFC 7662.
var _ = Describe("POST /oauth/introspect", func() {
	const inactive = `{"active":false}`

	Describe("section 2.2: a token that is active", func() {
		It("is described, with what it may do now", func() {
			raw := service.TakeToken(both)
			claims := claimsOf(raw)
			answer := service.Introspect(webhook, raw)
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
			Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
			var got map[string]any
			Expect(json.Unmarshal([]byte(answer.Body), &got)).To(Succeed())
			Expect(got).To(Equal(map[string]any{
				"active": true, "scope": "Webhook MCP orders.read", "client_id": "acme.both", "token_type": "bearer",
				"exp": float64(claims.Expiry.Time().Unix()), "iat": float64(claims.IssuedAt.Time().Unix()),
				"sub": "acme.both", "aud": []any{harness.Issuer}, "iss": harness.Issuer, "jti": claims.ID, "account": "acme",
			}))
		})

		It("of the console has no account unless it is restricted to one", func() {
			Expect(service.Introspect(console, consoleToken()).Body).NotTo(ContainSubstring("account"))
			restricted := service.TakeToken(console, "scope", "account:acme")
			Expect(service.Introspect(console, restricted).Body).To(And(ContainSubstring(`"scope":"API"`), ContainSubstring(`"account":"acme"`)))
		})

		It("may be asked about with HTTP Basic, as Authorino does, whatever the hint", func() {
			request := introspection()
			request.Header.Set("Authorization", basic(webhook.ID, webhook.Secret))
			answer := send(request, url.Values{"token": {webhookToken()}, "token_type_hint": {"requesting_party_token"}}.Encode())
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(answer.Body).To(HavePrefix(`{"active":true,`))
		})
	})

	DescribeTable("section 2.2: everything else is not active, and that is all that is told", func(token func() string) {
		answer := service.Introspect(webhook, token())
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Body).To(Equal(inactive))
		Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
	},
		Entry("another account's token", othersToken),
		Entry("a token of the console", consoleToken),
		Entry("a token of the console that is restricted to the account", func() string { return service.TakeToken(console, "scope", "account:acme") }),
		Entry("nonsense", text("nonsense")),
		Entry("a JWT of somebody else", text("eyJhbGciOiJub25lIn0.e30.")),
		Entry("a token that was tampered with", tampered(webhookToken)),
		Entry("a token that has expired", func() string { return world.Behind.TakeToken(webhook) }),
		Entry("a token of another issuer", func() string { return world.Foreign.TakeToken(webhook) }),
		Entry("a token that was revoked", func() string {
			token := webhookToken()
			expectDone(service.Revoke(webhook, token))
			return token
		}),
	)

	It("follows a revocation on every replica within a second", func() {
		token := webhookToken()
		active := func() bool { return second.Introspect(mcp, token).Body != inactive }
		Expect(active()).To(BeTrue())
		expectDone(service.Revoke(webhook, token))
		Expect(service.Introspect(mcp, token).Body).To(Equal(inactive))
		harness.ExpectPromptly(active, false)
	})

	DescribeTable("section 2.3: a caller that is not authenticated is refused, whatever the token", func(credentials func() harness.Credentials) {
		for _, token := range []string{webhookToken(), "nonsense"} {
			expectError(service.Introspect(credentials(), token), http.StatusUnauthorized, "invalid_client")
		}
	},
		Entry("wrong secret", func() harness.Credentials { return harness.Credentials{ID: webhook.ID, Secret: "wrong"} }),
		Entry("unknown client", func() harness.Credentials { return harness.Credentials{ID: "acme.nobody", Secret: webhook.Secret} }),
		Entry("suspended client", func() harness.Credentials { return suspended }),
		Entry("no client", func() harness.Credentials { return harness.Credentials{} }),
	)

	DescribeTable("section 2.1: the form", func(change func(*http.Request, url.Values)) {
		form := url.Values{"client_id": {webhook.ID}, "client_secret": {webhook.Secret}, "token": {webhookToken()}}
		request := introspection()
		change(request, form)
		expectError(send(request, form.Encode()), http.StatusBadRequest, "invalid_request")
	},
		Entry("no token", func(_ *http.Request, form url.Values) { form.Del("token") }),
		Entry("two tokens", func(_ *http.Request, form url.Values) { form.Add("token", "x") }),
		Entry("a token in the query", func(r *http.Request, form url.Values) {
			r.URL.RawQuery = "token=" + form.Get("token")
			form.Del("token")
		}),
		Entry("another content type", func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "application/json") }),
	)

	It("takes no GET, lest tokens end up in logs", func() {
		request := introspection()
		request.Method = http.MethodGet
		answer := harness.Do(request)
		Expect(answer.Status).To(Equal(http.StatusMethodNotAllowed))
		Expect(answer.Header.Get("Allow")).To(Equal("POST"))
	})

	It("is counted, and told of where the token is not active", func() {
		service.Introspect(webhook, webhookToken())
		service.Introspect(webhook, othersToken())
		service.Introspect(suspended, "nonsense")
		metrics := service.Metrics()
		for _, result := range []string{"active", "inactive", "invalid_client"} {
			Expect(metrics).To(MatchRegexp(`(?m)^claviger_introspection_requests_total\{result="` + result + `"\} [1-9]`))
		}
		told := plane.Ledger.Told()
		Expect(told).To(MatchRegexp(`"msg":"token not active","clientID":"acme.webhook","serviceAccount":"","tokenID":"[^"]+","method":"client_secret_post","reason":"the token is none that the caller may know of"`))
		Expect(told).To(ContainSubstring(`"msg":"introspection refused","error":"invalid_client","clientID":"acme.suspended"`))
	})
})

// introspection makes a request that has no body yet.
func introspection() *http.Request {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/introspect", nil)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}
