// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

// docs/endpoints.md, "POST /oauth/revoke", by the sections of RFC 7009.
var _ = Describe("POST /oauth/revoke", func() {
	expectDead := func(token string) {
		GinkgoHelper()
		Expect(alive(service, token)).To(BeFalse(), "the replica that was asked refuses it before it answers")
		harness.ExpectPromptly(func() bool { return alive(second, token) }, false)
	}

	Describe("section 2: a client", func() {
		It("revokes its token, and every replica refuses it within a second", func() {
			token, other := webhookToken(), webhookToken()
			Expect(alive(second, token)).To(BeTrue())
			expectDone(service.Revoke(webhook, token))
			expectDead(token)
			Expect(alive(service, other)).To(BeTrue(), "its other tokens live on")
			Expect(alive(second, other)).To(BeTrue())
			challenge := second.Verify(token, matrix.AcmeWebhook.Guard).Header.Get("WWW-Authenticate")
			Expect(challenge).To(ContainSubstring(`error="invalid_token"`))
		})

		It("leaves a RevokedToken that names the token and does not hold it", func(ctx context.Context) {
			token := webhookToken()
			claims := claimsOf(token)
			expectDone(service.Revoke(webhook, token))
			found := revocationsOf(ctx, claims.ID)
			Expect(found).To(HaveLen(1))
			Expect(found[0].Namespace).To(Equal(config.Namespace))
			Expect(found[0].Spec.ClientID).To(Equal(webhook.ID))
			Expect(found[0].Spec.ExpiresAt.Time).To(BeTemporally("==", claims.Expiry.Time()))
		})

		It("may use either replica, and both at once: one object is written", func(ctx context.Context) {
			token := webhookToken()
			answers := make(chan harness.Answer)
			for _, replica := range []*harness.TokenService{service, second, service, second} {
				go func() {
					defer GinkgoRecover()
					answers <- replica.Revoke(webhook, token)
				}()
			}
			for range 4 {
				expectDone(<-answers)
			}
			Expect(alive(service, token)).To(BeFalse())
			Expect(alive(second, token)).To(BeFalse(), "each replica refuses it before it answers")
			Expect(revocationsOf(ctx, claimsOf(token).ID)).To(HaveLen(1))
		})
	})

	Describe("section 2.1: the request", func() {
		DescribeTable("may hint at the type of the token, rightly or wrongly", func(hint string) {
			token := webhookToken()
			expectDone(service.Revoke(webhook, token, "token_type_hint", hint))
			expectDead(token)
		},
			Entry(nil, "access_token"), Entry(nil, "refresh_token"), Entry(nil, "nobody-knows"), Entry(nil, ""),
		)

		It("may authenticate the client with HTTP Basic", func() {
			token := webhookToken()
			request := revocation()
			request.Header.Set("Authorization", basic(webhook.ID, webhook.Secret))
			expectDone(send(request, url.Values{"token": {token}}.Encode()))
			expectDead(token)
		})

		DescribeTable("is refused for a token that was issued to another client, and the token lives", func(token func() string, at matrix.Place) {
			theirs := token()
			answer := service.Revoke(webhook, theirs)
			expectError(answer, http.StatusBadRequest, "invalid_grant")
			Expect(service.Verify(theirs, at.Guard).Status).To(Equal(http.StatusOK))
		},
			Entry("of the same account", mcpToken, matrix.AcmeMCP),
			Entry("of another account", othersToken, matrix.OtherWebhook),
			Entry("of the console", consoleToken, matrix.API),
		)

		DescribeTable("is refused before the token is looked at where the client is not authenticated", func(credentials func() harness.Credentials) {
			token := webhookToken()
			expectError(service.Revoke(credentials(), token), http.StatusUnauthorized, "invalid_client")
			expectError(service.Revoke(credentials(), "nonsense"), http.StatusUnauthorized, "invalid_client")
			Expect(alive(service, token)).To(BeTrue())
		},
			Entry("wrong secret", func() harness.Credentials { return harness.Credentials{ID: webhook.ID, Secret: "wrong"} }),
			Entry("another client's secret", func() harness.Credentials { return harness.Credentials{ID: webhook.ID, Secret: mcp.Secret} }),
			Entry("unknown client", func() harness.Credentials { return harness.Credentials{ID: "acme.nobody", Secret: webhook.Secret} }),
			Entry("suspended client", func() harness.Credentials { return suspended }),
			Entry("no client", func() harness.Credentials { return harness.Credentials{} }),
		)
	})

	Describe("section 2.2: what is not a good token", func() {
		DescribeTable("needs no revocation: 200, and nothing is written", func(ctx context.Context, token func() string) {
			raw := token()
			before := revocations(ctx)
			expectDone(service.Revoke(webhook, raw))
			expectDone(service.Revoke(webhook, raw))
			Expect(revocations(ctx)).To(Equal(before))
		},
			Entry("nonsense", text("nonsense")),
			Entry("a JWT of somebody else", text("eyJhbGciOiJub25lIn0.e30.")),
			Entry("a token that was tampered with", tampered(webhookToken)),
			Entry("a token that has expired", func() string { return world.Behind.TakeToken(webhook) }),
			Entry("a token of another issuer", func() string { return world.Foreign.TakeToken(webhook) }),
			Entry("another client's token that has expired", func() string { return world.Behind.TakeToken(others) }),
			Entry("a token that was revoked already", func() string {
				token := webhookToken()
				expectDone(service.Revoke(webhook, token))
				return token
			}),
		)
	})

	Describe("section 2.2.1: errors", func() {
		DescribeTable("of form", func(change func(*http.Request, url.Values)) {
			token := webhookToken()
			form := url.Values{"client_id": {webhook.ID}, "client_secret": {webhook.Secret}, "token": {token}}
			request := revocation()
			change(request, form)
			expectError(send(request, form.Encode()), http.StatusBadRequest, "invalid_request")
			Expect(alive(service, token)).To(BeTrue())
		},
			Entry("no token", func(_ *http.Request, form url.Values) { form.Del("token") }),
			Entry("an empty token", func(_ *http.Request, form url.Values) { form.Set("token", "") }),
			Entry("two tokens", func(_ *http.Request, form url.Values) { form.Add("token", "x") }),
			Entry("two hints", func(_ *http.Request, form url.Values) { form["token_type_hint"] = []string{"a", "b"} }),
			Entry("a token in the query", func(r *http.Request, form url.Values) {
				r.URL.RawQuery = "token=" + form.Get("token")
				form.Del("token")
			}),
			Entry("a token of 20 KiB", func(_ *http.Request, form url.Values) { form.Set("token", strings.Repeat("x", 20<<10)) }),
			Entry("a body of 1 MiB", func(_ *http.Request, form url.Values) { form.Set("x", strings.Repeat("x", 1<<20)) }),
			Entry("10 000 parameters", func(_ *http.Request, form url.Values) { form["x"] = make([]string, 10_000) }),
			Entry("another content type", func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "application/json") }),
			Entry("two ways of client authentication", func(r *http.Request, _ url.Values) { r.SetBasicAuth(webhook.ID, webhook.Secret) }),
		)

		DescribeTable("of method", func(method string) {
			request := revocation()
			request.Method = method
			answer := harness.Do(request)
			Expect(answer.Status).To(Equal(http.StatusMethodNotAllowed))
			Expect(answer.Header.Get("Allow")).To(Equal("POST"))
		},
			Entry(nil, http.MethodGet), Entry(nil, http.MethodDelete), Entry(nil, http.MethodOptions),
		)
	})

	It("is counted and told of, without the token", func() {
		token := webhookToken()
		service.Revoke(webhook, token)
		service.Revoke(webhook, token)
		service.Revoke(mcp, webhookToken())
		service.Revoke(suspended, "nonsense")
		metrics := service.Metrics()
		for _, result := range []string{"revoked", "nothing_to_revoke", "invalid_grant", "invalid_client"} {
			Expect(metrics).To(MatchRegexp(`(?m)^claviger_revocation_requests_total\{result="` + result + `"\} [1-9]`))
		}
		Expect(metrics).To(ContainSubstring(`claviger_http_request_duration_seconds_bucket{code="200",endpoint="revoke"`))
		told, id := plane.Ledger.Told(), claimsOf(token).ID
		Expect(told).To(ContainSubstring(`"msg":"token revoked","clientID":"acme.webhook","tokenID":"` + id + `","method":"client_secret_post"`))
		Expect(told).To(ContainSubstring(`"msg":"nothing to revoke","clientID":"acme.webhook","tokenID":"` + id + `","method":"client_secret_post","reason":"the token is revoked"`))
		Expect(told).To(MatchRegexp(`"msg":"revocation refused","error":"invalid_grant","clientID":"acme.mcp","tokenID":"[^"]+","method":"client_secret_post","reason":"the token was issued to another client"`))
		Expect(told).To(ContainSubstring(`"msg":"revocation refused","error":"invalid_client","clientID":"acme.suspended","tokenID":"","method":"client_secret_post","reason":"Suspended"`))
	})
})

// alive reports whether a replica admits a token of acme's webhook client.
func alive(replica *harness.TokenService, token string) bool {
	return replica.Verify(token, matrix.AcmeWebhook.Guard).Status == http.StatusOK
}

// expectDone: 200 with nothing in it (RFC 7009 section 2.2), which no cache keeps.
func expectDone(answer harness.Answer) {
	GinkgoHelper()
	Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
	Expect(answer.Body).To(BeEmpty())
	Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
}

// revocation makes a request that has no body yet.
func revocation() *http.Request {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/revoke", nil)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

// revocations gives every RevokedToken.
func revocations(ctx context.Context) []v1alpha1.RevokedToken {
	GinkgoHelper()
	var list v1alpha1.RevokedTokenList
	Expect(plane.API.List(ctx, &list)).To(Succeed())
	raw, err := json.Marshal(list)
	Expect(err).NotTo(HaveOccurred())
	_, err = plane.Ledger.Write(raw) // also what is gone when the suite ends
	Expect(err).NotTo(HaveOccurred())
	return list.Items
}

func revocationsOf(ctx context.Context, tokenID string) []v1alpha1.RevokedToken {
	GinkgoHelper()
	var found []v1alpha1.RevokedToken
	for _, item := range revocations(ctx) {
		if item.Spec.TokenID == tokenID {
			found = append(found, item)
		}
	}
	return found
}

// claimsOf reads a token without verifying it.
func claimsOf(token string) josejwt.Claims {
	GinkgoHelper()
	parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	Expect(err).NotTo(HaveOccurred())
	var claims josejwt.Claims
	Expect(parsed.UnsafeClaimsWithoutVerification(&claims)).To(Succeed())
	return claims
}
