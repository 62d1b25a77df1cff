// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

var _ = DescribeTable("golang.org/x/oauth2 takes a token and uses it", func(ctx context.Context, style oauth2.AuthStyle) {
	config := clientcredentials.Config{
		ClientID: webhook.ID, ClientSecret: webhook.Secret, TokenURL: service.URL + "/oauth/token", AuthStyle: style,
	}
	token, err := config.Token(ctx)
	Expect(err).NotTo(HaveOccurred())
	plane.Ledger.Add(token.AccessToken)
	Expect(token.Type()).To(Equal("Bearer"))
	Expect(token.Expiry).To(BeTemporally("~", time.Now().Add(14*24*time.Hour), time.Minute))

	response, err := config.Client(ctx).Get(service.URL + "/verify?" + matrix.AcmeWebhook.Guard)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	Expect(response.StatusCode).To(Equal(http.StatusOK))
},
	Entry("detecting the style by itself", oauth2.AuthStyleAutoDetect),
	Entry("with parameters in the body", oauth2.AuthStyleInParams),
	Entry("with HTTP Basic", oauth2.AuthStyleInHeader),
)

var _ = It("golang.org/x/oauth2 understands our errors", func(ctx context.Context) {
	config := clientcredentials.Config{ClientID: webhook.ID, ClientSecret: "wrong", TokenURL: service.URL + "/oauth/token"}
	_, err := config.Token(ctx)
	var failure *oauth2.RetrieveError
	Expect(errors.As(err, &failure)).To(BeTrue(), "%v", err)
	Expect(failure.ErrorCode).To(Equal("invalid_client"))
	Expect(failure.ErrorDescription).NotTo(BeEmpty())
})

var _ = DescribeTable("curl takes a token and uses it", func(ctx context.Context, args func() []string) {
	out := curl(ctx, append(args(), service.URL+"/oauth/token")...)
	var token harness.TokenAnswer
	Expect(json.Unmarshal([]byte(out), &token)).To(Succeed(), "the token endpoint's answer to curl")
	plane.Ledger.Add(token.AccessToken)
	Expect(token.AccessToken).NotTo(BeEmpty())

	verdict := curl(ctx, "--write-out", "%{http_code}", "--header", "Authorization: Bearer "+token.AccessToken,
		service.URL+"/verify?"+matrix.AcmeWebhook.Guard)
	Expect(verdict).To(Equal("200"))
},
	Entry("with --data", func() []string {
		return []string{"--data", "grant_type=client_credentials", "--data", "client_id=" + webhook.ID, "--data", "client_secret=" + webhook.Secret}
	}),
	Entry("with --user", func() []string {
		return []string{"--data", "grant_type=client_credentials", "--user", webhook.ID + ":" + webhook.Secret}
	}),
	Entry("with --data-urlencode", func() []string {
		return []string{"--data-urlencode", "grant_type=client_credentials", "--data-urlencode", "client_id=" + webhook.ID, "--data-urlencode", "client_secret=" + webhook.Secret}
	}),
)

func curl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	out, err := exec.CommandContext(ctx, "curl", append([]string{"--disable", "--noproxy", "*", "--silent", "--max-time", "10"}, args...)...).Output()
	Expect(err).NotTo(HaveOccurred())
	return string(out)
}

// docs/endpoints.md, "GET /oauth/jwks".
var _ = Describe("GET /oauth/jwks", func() {
	It("lets another JOSE library verify a token offline, with the claims of RFC 9068", func() {
		request, err := http.NewRequest(http.MethodGet, service.URL+"/oauth/jwks", nil)
		Expect(err).NotTo(HaveOccurred())
		answer := harness.Do(request)
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Get("Cache-Control")).To(ContainSubstring("max-age="))
		Expect(answer.Body).NotTo(ContainSubstring(`"d"`), "no private half")
		var keys jose.JSONWebKeySet
		Expect(json.Unmarshal([]byte(answer.Body), &keys)).To(Succeed())

		parsed, err := josejwt.ParseSigned(service.TakeToken(console, "scope", "account:acme"), []jose.SignatureAlgorithm{jose.ES256})
		Expect(err).NotTo(HaveOccurred())
		Expect(parsed.Headers[0].ExtraHeaders[jose.HeaderType]).To(Equal("at+jwt"))
		var claims struct {
			josejwt.Claims
			ClientID string `json:"client_id"`
			Scope    string `json:"scope"`
			Account  string `json:"account"`
		}
		Expect(parsed.Claims(keys, &claims)).To(Succeed())
		Expect(claims.Validate(josejwt.Expected{
			Issuer: harness.Issuer, Subject: "claviger-system.console", AnyAudience: josejwt.Audience{harness.Issuer}, Time: time.Now(),
		})).To(Succeed())
		Expect(claims.Claims.ID).NotTo(BeEmpty())
		Expect(claims.ClientID).To(Equal("claviger-system.console"))
		Expect(claims.Scope).To(Equal("API account:acme"))
		Expect(claims.Account).To(Equal("acme"))
		Expect(claims.Expiry.Time().Sub(claims.IssuedAt.Time())).To(Equal(14 * 24 * time.Hour))
	})

	It("refuses other methods", func() {
		request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/jwks", nil)
		Expect(err).NotTo(HaveOccurred())
		answer := harness.Do(request)
		Expect(answer.Status).To(Equal(http.StatusMethodNotAllowed))
		Expect(answer.Header.Get("Allow")).To(Equal("GET, HEAD"))
	})
})

var _ = Describe("the operations port", func() {
	It("counts decisions without naming anybody", func() {
		token := service.TakeToken(webhook)
		service.Verify("nonsense", matrix.AcmeWebhook.Guard)
		for range 2 {
			service.Verify(token, matrix.AcmeWebhook.Guard)
		}
		metrics := service.Metrics()
		Expect(metrics).To(MatchRegexp(`(?m)^claviger_token_requests_total\{method="client_secret_post",result="issued"\} [1-9]`))
		Expect(metrics).To(MatchRegexp(`(?m)^claviger_verify_requests_total\{reason="Malformed",result="invalid_token"\} [1-9]`))
		Expect(metrics).To(MatchRegexp(`(?m)^claviger_token_cache_requests_total\{result="miss"\} [1-9]`))
		Expect(metrics).To(MatchRegexp(`(?m)^claviger_token_cache_requests_total\{result="hit"\} [1-9]`))
		Expect(metrics).To(ContainSubstring(`claviger_http_request_duration_seconds_bucket{code="200",endpoint="token"`))
		Expect(metrics).NotTo(ContainSubstring("acme"))
	})
})

var _ = Describe("the audit log", func() {
	It("has a line for each decision", func() {
		service.TakeToken(webhook)
		service.PostToken(harness.Credentials{ID: webhook.ID, Secret: "wrong-secret"}.Form())
		service.PostToken(suspended.Form())
		service.Verify(webhookToken(), matrix.AcmeMCP.Guard)
		told := plane.Ledger.Told()
		Expect(told).To(MatchRegexp(`"logger":"token-service.audit","msg":"token issued","clientID":"acme.webhook","tokenID":"[^"]+","account":"acme","scope":"Webhook"`))
		Expect(told).To(ContainSubstring(`"msg":"token refused","error":"invalid_client","clientID":"acme.webhook","method":"client_secret_post","reason":"wrong client secret"`))
		Expect(told).To(ContainSubstring(`"msg":"token refused","error":"invalid_client","clientID":"acme.suspended","method":"client_secret_post","reason":"Suspended"`))
		Expect(told).To(ContainSubstring(`"msg":"access denied","error":"insufficient_scope","clientID":"acme.webhook","needs":"MCP"`))
	})

	It("has every line, however many there are", func() {
		before := strings.Count(plane.Ledger.Told(), `"msg":"token issued"`)
		for range 500 {
			service.TakeToken(webhook)
		}
		Expect(strings.Count(plane.Ledger.Told(), `"msg":"token issued"`)).To(Equal(before + 500))
	})

	It("does not name a client that does not exist: people paste secrets into the wrong field", func() {
		const pasted = "clvs_pasted-into-the-wrong-field"
		service.PostToken(harness.Credentials{ID: pasted, Secret: "x"}.Form())
		Expect(plane.Ledger.Told()).NotTo(ContainSubstring(pasted))
	})
})

func goroutines() int { return runtime.NumGoroutine() }
