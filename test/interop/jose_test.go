// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/nodejs"
)

// verified is what jose makes of a token.
type verified struct {
	Payload struct {
		Subject  string `json:"sub"`
		ClientID string `json:"client_id"`
		Scope    string `json:"scope"`
		Account  string `json:"account"`
	} `json:"payload"`
	KeyID     string `json:"kid"`
	Algorithm string `json:"alg"`
}

var _ = Describe("npm jose, offline by the JWK set", func() {
	var jose *nodejs.Program
	type call struct {
		Token    string `json:"token"`
		Issuer   string `json:"issuer"`
		Audience string `json:"audience"`
	}
	BeforeEach(func(ctx context.Context) {
		jose = start(ctx, "jose.mjs")
		jose.Must(clock.Now(), "follow", map[string]string{"jwks": issuer + server.PathJWKS}, nil)
	})
	verify := func(token string) verified {
		GinkgoHelper()
		var got verified
		jose.Must(clock.Now(), "verify", call{token, issuer, issuer}, &got)
		return got
	}

	It("verifies a token with issuer, audience and type", func() {
		got := verify(service.TakeToken(orders))
		Expect(got.Payload.Subject).To(Equal(orders.ID))
		Expect(got.Payload.ClientID).To(Equal(orders.ID))
		Expect(got.Payload.Scope).To(Equal("Webhook MCP"))
		Expect(got.Payload.Account).To(Equal("acme"))
		Expect(got.Algorithm).To(Equal("ES256"))
	})

	DescribeTable("refuses", func(change func(*call, *time.Time), code string) {
		c, now := call{service.TakeToken(orders), issuer, issuer}, clock.Now()
		change(&c, &now)
		Expect(jose.Fails(now, "verify", c).Code).To(Equal(code))
	},
		Entry("a token for another audience", func(c *call, _ *time.Time) { c.Audience = "https://other.example" }, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
		Entry("a token of another issuer", func(c *call, _ *time.Time) { c.Issuer = "https://other.example" }, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
		Entry("an expired token", func(_ *call, now *time.Time) { *now = now.Add(15 * 24 * time.Hour) }, "ERR_JWT_EXPIRED"),
		Entry("a token that was tampered with", func(c *call, _ *time.Time) {
			parts := strings.Split(c.Token, ".")
			parts[1], _, _ = strings.Cut(service.TakeToken(orders), ".") // a payload that is another JSON object
			c.Token = strings.Join(parts, ".")
		}, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
	)

	It("follows a rotation of the signing key, with nothing set", func(ctx context.Context) {
		before := service.TakeToken(orders)
		old := verify(before).KeyID

		By("publishing the next key, which signs when everybody may know it")
		harness.Patch(ctx, plane, signingKeys(), func(s *corev1.Secret) {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationRotate, "now")
		})
		Eventually(publishedKeys).Should(HaveLen(2))
		Expect(verify(service.TakeToken(orders)).KeyID).To(Equal(old))

		clock.Advance(25 * time.Hour)
		after := service.TakeToken(orders)
		Expect(verify(after).KeyID).NotTo(Equal(old))
		Expect(verify(before).KeyID).To(Equal(old), "tokens of the old key go on working")
	})
})

func signingKeys() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}}
}

// publishedKeys gives the JWK set.
func publishedKeys() []json.RawMessage {
	GinkgoHelper()
	var set struct{ Keys []json.RawMessage }
	Expect(json.Unmarshal([]byte(get(issuer+server.PathJWKS).Body), &set)).To(Succeed())
	return set.Keys
}
