// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// keysOf makes a key for every algorithm.
func keysOf() map[jose.SignatureAlgorithm]crypto.Signer {
	GinkgoHelper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	Expect(err).NotTo(HaveOccurred())
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	return map[jose.SignatureAlgorithm]crypto.Signer{jose.ES256: p256, jose.ES384: p384, jose.RS256: rsa2048, jose.PS256: rsa2048, jose.EdDSA: ed}
}

// docs/endpoints.md, "private_key_jwt", with an independent JOSE library.
var _ = Describe("private_key_jwt", Ordered, func() {
	const id = "acme.keyed"
	var keys map[jose.SignatureAlgorithm]crypto.Signer

	// claims are good ones; sign signs them, changed.
	sign := func(algorithm jose.SignatureAlgorithm, change func(*josejwt.Claims)) string {
		GinkgoHelper()
		claims := josejwt.Claims{
			Issuer: id, Subject: id, Audience: josejwt.Audience{harness.Issuer}, ID: rand.Text(),
			Expiry: josejwt.NewNumericDate(time.Now().Add(time.Minute)), IssuedAt: josejwt.NewNumericDate(time.Now()),
		}
		if change != nil {
			change(&claims)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: keys[algorithm]}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", string(algorithm)))
		Expect(err).NotTo(HaveOccurred())
		raw, err := josejwt.Signed(signer).Claims(claims).Serialize()
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(raw)
		return raw
	}
	status := func(assertion string) int {
		GinkgoHelper()
		answer, _ := service.PostToken(harness.Asserted(assertion))
		return answer.Status
	}

	BeforeAll(func(ctx context.Context) {
		keys = keysOf()
		set := jose.JSONWebKeySet{}
		for _, algorithm := range []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.EdDSA} {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: keys[algorithm].Public(), KeyID: string(algorithm)})
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: keys[jose.RS256].Public()}) // for both algorithms of RSA
		raw, err := json.Marshal(set)
		Expect(err).NotTo(HaveOccurred())
		keyed := builder.ClientCredential("acme", "keyed", builder.ForAccount("acme"), builder.JWKS(string(raw)))
		plane.Create(ctx, keyed)
		plane.ExpectReady(ctx, keyed)
		Eventually(func() int { return status(sign(jose.ES256, nil)) }).Should(Equal(http.StatusOK))
		DeferCleanup(func(ctx context.Context) { Expect(plane.API.Delete(ctx, keyed)).To(Succeed()) })
	})

	DescribeTable("is accepted by every algorithm", func(algorithm jose.SignatureAlgorithm) {
		answer, token := service.PostToken(harness.Asserted(sign(algorithm, nil), "client_id", id))
		Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
		Expect(token.ClientID).To(Equal(id))
		Expect(service.Verify(token.AccessToken, "scope=Webhook&account=acme").Status).To(Equal(http.StatusOK))
	},
		Entry(nil, jose.ES256), Entry(nil, jose.ES384), Entry(nil, jose.RS256), Entry(nil, jose.PS256), Entry(nil, jose.EdDSA),
	)

	DescribeTable("golang.org/x/oauth2 takes a token with it, whatever style it tries", func(ctx context.Context, style oauth2.AuthStyle) {
		configuration := clientcredentials.Config{
			ClientID: id, TokenURL: service.URL + "/oauth/token", AuthStyle: style,
			EndpointParams: url.Values{"client_assertion_type": {harness.AssertionType}, "client_assertion": {sign(jose.ES256, nil)}},
		}
		token, err := configuration.Token(ctx)
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(token.AccessToken)
		Expect(service.Verify(token.AccessToken, "scope=Webhook&account=acme").Status).To(Equal(http.StatusOK))
	},
		Entry("parameters", oauth2.AuthStyleInParams),
		Entry("detecting the style by itself, which tries HTTP Basic first", oauth2.AuthStyleAutoDetect),
	)

	DescribeTable("is refused where a claim is wrong", func(change func(*josejwt.Claims)) {
		answer, _ := service.PostToken(harness.Asserted(sign(jose.ES256, change), "client_id", id))
		expectError(answer, http.StatusUnauthorized, "invalid_client")
	},
		Entry("another issuer", func(c *josejwt.Claims) { c.Issuer = "acme.webhook" }),
		Entry("another audience", func(c *josejwt.Claims) { c.Audience = josejwt.Audience{"https://b.example"} }),
		Entry("expired", func(c *josejwt.Claims) { c.Expiry = josejwt.NewNumericDate(time.Now().Add(-time.Second)) }),
		Entry("an hour of life", func(c *josejwt.Claims) { c.Expiry = josejwt.NewNumericDate(time.Now().Add(time.Hour)) }),
		Entry("no jti", func(c *josejwt.Claims) { c.ID = "" }),
	)

	It("is good once at a replica, and for the endpoint that it is for", func() {
		once := sign(jose.ES256, nil)
		Expect(status(once)).To(Equal(http.StatusOK))
		Expect(status(once)).To(Equal(http.StatusUnauthorized))
		Expect(plane.Ledger.Told()).To(ContainSubstring(`"method":"private_key_jwt","reason":"the assertion was used before"`))
		for url, want := range map[string]int{
			harness.Issuer + "/oauth/token": http.StatusOK, harness.Issuer + "/oauth/revoke": http.StatusUnauthorized, harness.Issuer + "/": http.StatusUnauthorized,
		} {
			Expect(status(sign(jose.ES256, func(c *josejwt.Claims) { c.Audience = josejwt.Audience{url} }))).To(Equal(want), url)
		}
	})

	It("works at the other endpoints alike", func() {
		_, token := service.PostToken(harness.Asserted(sign(jose.ES256, nil)))
		at := func(endpoint string) func(*josejwt.Claims) {
			return func(c *josejwt.Claims) { c.Audience = josejwt.Audience{harness.Issuer + endpoint} }
		}
		answer := service.IntrospectAsserted(sign(jose.ES256, at("/oauth/introspect")), token.AccessToken)
		Expect(answer.Body).To(ContainSubstring(`"active":true`))
		expectDone(service.RevokeAsserted(sign(jose.ES256, at("/oauth/revoke")), token.AccessToken))
		answer = service.IntrospectAsserted(sign(jose.ES256, nil), token.AccessToken)
		Expect(answer.Body).To(Equal(`{"active":false}`))
	})

	It("is one method, and a second beside it is refused", func() {
		answer, _ := service.PostToken(harness.Asserted(sign(jose.ES256, nil), "client_secret", "x"))
		expectError(answer, http.StatusBadRequest, "invalid_request")
		request, err := http.NewRequest(http.MethodPost, service.URL+"/oauth/token", nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(webhook.ID, webhook.Secret)
		expectError(send(request, harness.Asserted(sign(jose.ES256, nil)).Encode()), http.StatusBadRequest, "invalid_request")
	})

	It("ends with its key, within a second", func(ctx context.Context) {
		harness.Patch(ctx, plane, builder.ClientCredential("acme", "keyed"), func(c *v1alpha1.ClientCredential) { c.Spec.JWKS = "" })
		harness.ExpectPromptly(func() bool { return status(sign(jose.ES256, nil)) == http.StatusOK }, false)
	})
})
