// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

// describesItself is docs/endpoints.md, "Metadata" and "GET /oauth/authorize", for an issuer with that path, whose URL is where
// its token service listens. places are where the metadata is found.
func describesItself(path string, places []string) {
	var home *harness.TokenService
	var issuer string
	var document map[string]any

	BeforeAll(func() {
		home = plane.StartTokenServiceAt(path)
		issuer = home.URL + path
		answer := fetch(http.MethodGet, home.URL+places[0])
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(json.Unmarshal([]byte(answer.Body), &document)).To(Succeed())
	})

	It("has one document everywhere, under its exact name, which may be kept", func() {
		Expect(document["issuer"]).To(Equal(issuer))
		var first harness.Answer
		for i, place := range places {
			answer := fetch(http.MethodGet, home.URL+place)
			if i == 0 {
				first = answer
			}
			Expect(answer.Status).To(Equal(http.StatusOK), place)
			Expect(answer.Body).To(Equal(first.Body), place)
			Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
			Expect(answer.Header.Get("Cache-Control")).To(Equal("public, max-age=300"))
			Expect(fetch(http.MethodHead, home.URL+place).Status).To(Equal(http.StatusOK))
			Expect(fetch(http.MethodGet, home.URL+place, "If-None-Match", answer.Header.Get("ETag")).Status).To(Equal(http.StatusNotModified))
			expectError(fetch(http.MethodPost, home.URL+place), http.StatusMethodNotAllowed, "invalid_request")
		}
	})

	It("is nowhere else", func() {
		for _, place := range []string{
			"/.well-known/", "/.well-known/oauth-authorization-server/other", "/.well-known/openid-configuration/other",
			"/other/.well-known/openid-configuration", "/.well-known/oauth-authorization-server" + path + "/", "/.well-known/jwks.json",
		} {
			Expect(fetch(http.MethodGet, home.URL+place).Status).To(Equal(http.StatusNotFound), place)
		}
	})

	It("issues tokens by every method of client authentication that it advertises, and to no other grant", func(ctx context.Context) {
		styles := map[string]oauth2.AuthStyle{"client_secret_basic": oauth2.AuthStyleInHeader, "client_secret_post": oauth2.AuthStyleInParams}
		methods, _ := document["token_endpoint_auth_methods_supported"].([]any)
		for method, style := range styles {
			Expect(methods).To(ContainElement(method))
			token, err := credentialsAt(document["token_endpoint"].(string), style).Token(ctx)
			Expect(err).NotTo(HaveOccurred(), method)
			plane.Ledger.Add(token.AccessToken)
		}
		Expect(document["grant_types_supported"]).To(HaveExactElements("client_credentials"))
		for _, grant := range []string{"authorization_code", "refresh_token", "password"} {
			expectError(postForm(document["token_endpoint"].(string), "grant_type="+grant), http.StatusBadRequest, "unsupported_grant_type")
		}
	})

	It("answers at every endpoint that it advertises", func() {
		Expect(fetch(http.MethodGet, document["jwks_uri"].(string)).Status).To(Equal(http.StatusOK))
		expectError(fetch(http.MethodGet, document["token_endpoint"].(string)), http.StatusMethodNotAllowed, "invalid_request")
		expectError(postForm(document["revocation_endpoint"].(string), "token=x"), http.StatusUnauthorized, "invalid_client")
	})

	It("tells whoever is sent to authorize that nobody can, and sends nobody on", func() {
		authorize := document["authorization_endpoint"].(string) +
			"?response_type=code&client_id=canary&redirect_uri=https%3A%2F%2Fcanary.example&state=canary&code_challenge=canary&code_challenge_method=S256"
		page := fetch(http.MethodGet, authorize, "Accept", "text/html")
		Expect(page.Status).To(Equal(http.StatusBadRequest))
		Expect(page.Header.Get("Location")).To(BeEmpty())
		Expect(page.Header.Get("Content-Type")).To(HavePrefix("text/html"))
		Expect(page.Header.Get("Content-Security-Policy")).To(HavePrefix("default-src 'none'"))
		Expect(page.Body).To(And(ContainSubstring("unauthorized_client"), Not(ContainSubstring("canary"))))
		expectError(fetch(http.MethodGet, authorize), http.StatusBadRequest, "unauthorized_client")
	})

	It("is enough for go-oidc to find everything and to verify a token offline", func(ctx context.Context) {
		provider, err := oidc.NewProvider(ctx, issuer)
		Expect(err).NotTo(HaveOccurred())
		token, err := credentialsAt(provider.Endpoint().TokenURL, oauth2.AuthStyleAutoDetect).Token(ctx)
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(token.AccessToken)

		verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: issuer})
		verified, err := verifier.Verify(ctx, token.AccessToken)
		Expect(err).NotTo(HaveOccurred())
		Expect(verified.Subject).To(Equal(webhook.ID))
		Expect(verified.Expiry).To(BeTemporally("~", time.Now().Add(14*24*time.Hour), time.Minute))
		var claims map[string]any
		Expect(verified.Claims(&claims)).To(Succeed())
		Expect(claims).To(And(HaveKeyWithValue("client_id", webhook.ID), HaveKeyWithValue("scope", "Webhook"), HaveKeyWithValue("account", "acme")))

		By("refusing what is not of this issuer, or for somebody else")
		parts := strings.Split(token.AccessToken, ".")
		for _, forged := range []string{
			parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
			world.Foreign.TakeToken(webhook),
		} {
			_, err = verifier.Verify(ctx, forged)
			Expect(err).To(HaveOccurred())
		}
		_, err = provider.VerifierContext(ctx, &oidc.Config{ClientID: "https://other.example.com"}).Verify(ctx, token.AccessToken)
		Expect(err).To(HaveOccurred())
	})
}

var _ = Describe("an issuer without a path", Ordered, func() {
	describesItself("", []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"})
})

var _ = Describe("an issuer with a path", Ordered, func() {
	describesItself("/auth/v1", []string{
		"/.well-known/oauth-authorization-server/auth/v1", "/auth/v1/.well-known/openid-configuration",
		"/.well-known/openid-configuration/auth/v1", "/auth/v1/.well-known/oauth-authorization-server",
		"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
	})
})

func credentialsAt(tokenURL string, style oauth2.AuthStyle) *clientcredentials.Config {
	return &clientcredentials.Config{ClientID: webhook.ID, ClientSecret: webhook.Secret, TokenURL: tokenURL, AuthStyle: style}
}

func fetch(method, url string, headers ...string) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(method, url, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return harness.Do(request)
}

func postForm(url, form string) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, url, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(request, form)
}
