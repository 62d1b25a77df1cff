// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

// docs/endpoints.md, "POST /oauth/token".
var _ = Describe("POST /oauth/token", func() {
	It("answers with exactly the documented fields", func() {
		answer, token := service.PostToken(webhook.Form())
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
		Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
		Expect(token.AccessToken).NotTo(BeEmpty())
		Expect(strings.Replace(answer.Body, token.AccessToken, "...", 1)).To(Equal(
			`{"token_type":"bearer","access_token":"...","expires_in":1209600,"clientId":"acme.webhook","scope":"Webhook"}`))
		Expect(token.ExpiresIn).To(Equal(1209600), "no lifetime set: 14 days")
	})

	It("gives tokens that live side by side", func() {
		first, second := service.TakeToken(webhook), service.TakeToken(webhook)
		Expect(first == second).To(BeFalse(), "each is another")
		for _, token := range []string{first, second} {
			Expect(service.Verify(token, "scope=Webhook&account=acme").Status).To(Equal(http.StatusOK))
		}
	})

	DescribeTable("scopes", func(credentials *harness.Credentials, asked, granted string) {
		answer, token := service.PostToken(credentials.Form("scope", asked))
		if granted == "" {
			Expect(answer.Status).To(Equal(http.StatusBadRequest))
			Expect(token.Error).To(Equal("invalid_scope"))
			return
		}
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(token.Scope).To(Equal(granted))
	},
		Entry("none asked for: all that the credential has", &both, "", "Webhook MCP orders.read"),
		Entry("one of several", &both, "MCP", "MCP"),
		Entry("more than it has: the intersection", &webhook, "Webhook MCP", "Webhook"),
		Entry("only what it has not: refused", &webhook, "MCP", ""),
		Entry("another level's scope: refused", &webhook, "API", ""),
		Entry("scopes are case-sensitive", &webhook, "webhook", ""),
		Entry("a malformed scope is refused", &webhook, "Webhook \"", ""),
		Entry("a console-level token restricted to an account", &console, "account:acme", "API account:acme"),
		Entry("the same with the scope spelled out", &console, "API account:acme", "API account:acme"),
		Entry("a restriction to an account that does not exist", &console, "API account:nobody", ""),
		Entry("a restriction to a suspended account", &console, "API account:dormant", ""),
		Entry("a restriction to two accounts", &console, "API account:acme account:other", ""),
		Entry("an account's credential restricted to its own account", &webhook, "Webhook account:acme", "Webhook account:acme"),
		Entry("an account's credential restricted to another", &webhook, "Webhook account:other", ""),
	)

	DescribeTable("errors", func(status int, code string, change func(*http.Request, url.Values)) {
		form := webhook.Form()
		request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/token", nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(request, form)
		expectError(send(request, form.Encode()), status, code)
	},
		Entry("no grant type", 400, "invalid_request", func(_ *http.Request, form url.Values) { form.Del("grant_type") }),
		Entry("another grant type", 400, "unsupported_grant_type", func(_ *http.Request, form url.Values) { form.Set("grant_type", "password") }),
		Entry("a repeated parameter", 400, "invalid_request", func(_ *http.Request, form url.Values) { form.Add("scope", "a"); form.Add("scope", "b") }),
		Entry("a repeated client_id", 400, "invalid_request", func(_ *http.Request, form url.Values) { form.Add("client_id", webhook.ID) }),
		Entry("another content type", 400, "invalid_request", func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "application/json") }),
		Entry("no content type", 400, "invalid_request", func(r *http.Request, _ url.Values) { r.Header.Del("Content-Type") }),
		Entry("parameters in the query", 400, "invalid_request", func(r *http.Request, _ url.Values) { r.URL.RawQuery = "scope=Webhook" }),
		Entry("a secret in the query", 400, "invalid_request", func(r *http.Request, form url.Values) { r.URL.RawQuery = form.Encode() }),
		Entry("two ways of client authentication", 400, "invalid_request", func(r *http.Request, _ url.Values) { r.SetBasicAuth(webhook.ID, webhook.Secret) }),
		Entry("two Authorization headers", 400, "invalid_request", func(r *http.Request, form url.Values) {
			form.Del("client_secret")
			r.SetBasicAuth(webhook.ID, webhook.Secret)
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		}),
		Entry("no client", 401, "invalid_client", func(_ *http.Request, form url.Values) { form.Del("client_id"); form.Del("client_secret") }),
		Entry("no secret", 401, "invalid_client", func(_ *http.Request, form url.Values) { form.Del("client_secret") }),
		Entry("another scheme than Basic", 401, "invalid_client", func(r *http.Request, form url.Values) {
			form.Del("client_secret")
			r.Header.Set("Authorization", "Digest abc")
		}),
		Entry("an unknown client", 401, "invalid_client", func(_ *http.Request, form url.Values) { form.Set("client_id", "acme.nobody") }),
		Entry("a wrong secret", 401, "invalid_client", func(_ *http.Request, form url.Values) { form.Set("client_secret", "wrong") }),
		Entry("another client's secret", 401, "invalid_client", func(_ *http.Request, form url.Values) { form.Set("client_secret", mcp.Secret) }),
		Entry("a suspended client", 401, "invalid_client", func(_ *http.Request, form url.Values) {
			form.Set("client_id", suspended.ID)
			form.Set("client_secret", suspended.Secret)
		}),
		Entry("a resource that nobody registered", 400, "invalid_target", func(_ *http.Request, form url.Values) { form.Set("resource", "https://x.example") }),
		Entry("its alias audience", 400, "invalid_target", func(_ *http.Request, form url.Values) { form.Set("audience", "https://x.example") }),
	)

	It("gives unknown, wrong and suspended one and the same answer", func() {
		var answers []string
		for _, credentials := range []harness.Credentials{
			{ID: "acme.nobody", Secret: webhook.Secret}, {ID: webhook.ID, Secret: "wrong"}, suspended,
		} {
			answer, _ := service.PostToken(credentials.Form())
			answer.Header.Del("Date")
			answers = append(answers, answer.Body+answer.Header.Get("WWW-Authenticate")+answer.Header.Get("Content-Length"))
		}
		Expect(answers[0]).To(Equal(answers[1]))
		Expect(answers[0]).To(Equal(answers[2]))
	})

	DescribeTable("HTTP Basic is accepted", func(header func() string) {
		request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/token", nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", header())
		answer := send(request, "grant_type=client_credentials")
		plane.Ledger.Add(answer.Body)
		Expect(answer.Status).To(Equal(http.StatusOK))
	},
		Entry("raw", func() string { return basic(webhook.ID, webhook.Secret) }),
		Entry("form-encoded", func() string { return basic(everyByte(webhook.ID), everyByte(webhook.Secret)) }),
		Entry("with the scheme in another case", func() string { return strings.Replace(basic(webhook.ID, webhook.Secret), "Basic", "bASIC", 1) }),
	)

	DescribeTable("other methods get 405", func(method string) {
		request, err := http.NewRequest(method, service.URL+"/oauth/token", nil)
		Expect(err).NotTo(HaveOccurred())
		answer := harness.Do(request)
		Expect(answer.Status).To(Equal(http.StatusMethodNotAllowed))
		Expect(answer.Header.Get("Allow")).To(Equal("POST"))
	},
		Entry(nil, http.MethodGet), Entry(nil, http.MethodPut), Entry(nil, http.MethodDelete), Entry(nil, http.MethodOptions),
	)
})

var _ = DescribeTable("unknown paths are 404", func(path string) {
	request, err := http.NewRequest(http.MethodGet, service.URL+path, nil)
	Expect(err).NotTo(HaveOccurred())
	Expect(harness.Do(request).Status).To(Equal(http.StatusNotFound))
},
	Entry(nil, "/"), Entry(nil, "/oauth"), Entry(nil, "/oauth/token/"), Entry(nil, "/.well-known/no-such-thing"), Entry(nil, "/metrics"),
	Entry(nil, "//oauth/token?client_secret=x"), Entry(nil, "/.well-known//x"), Entry(nil, "/oauth/../verify"),
)
