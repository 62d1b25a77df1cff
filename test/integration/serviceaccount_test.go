// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("a workload without a secret", func() {
	// status gives that of a token request with a ServiceAccount token.
	status := func(tokens *harness.TokenService, assertion, clientID string) int {
		GinkgoHelper()
		answer, _ := tokens.PostToken(harness.Asserted(assertion, "client_id", clientID))
		return answer.Status
	}
	ready := func(ctx context.Context, tokens *harness.TokenService) (*v1alpha1.ClientCredential, string) {
		GinkgoHelper()
		name := fresh()
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name), builder.ServiceAccounts("orders"))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
		plane.ExpectReady(ctx, orders)
		token := plane.ServiceAccountToken(ctx, name, "orders", harness.Issuer)
		Eventually(status).WithArguments(tokens, token, name+".orders").Should(Equal(http.StatusOK))
		return orders, token
	}

	It("takes tokens with that of its ServiceAccount, again and again, and nobody else does", func(ctx context.Context) {
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		orders, own := ready(ctx, tokens)
		name := orders.Namespace
		client := name + ".orders"
		answer, token := tokens.PostToken(harness.Asserted(own, "client_id", client))
		Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
		Expect(tokens.Verify(token.AccessToken, "scope=Webhook&account="+name).Status).To(Equal(http.StatusOK))

		By("refusing every other token")
		for what, other := range map[string]string{
			"another ServiceAccount of the namespace": plane.ServiceAccountToken(ctx, name, "default", harness.Issuer),
			"one of its name elsewhere":               plane.ServiceAccountToken(ctx, fresh(), "orders", harness.Issuer),
			"for another audience":                    plane.ServiceAccountToken(ctx, name, "orders", "https://b.example"),
			"for the API server":                      plane.ServiceAccountToken(ctx, name, "orders", "https://kubernetes.default.svc.cluster.local"),
			"tampered with":                           own[:strings.LastIndex(own, ".")+1] + strings.Repeat("A", 86),
		} {
			Expect(status(tokens, other, client)).To(Equal(http.StatusUnauthorized), what)
		}
		Expect(status(tokens, own, "t.nobody")).To(Equal(http.StatusUnauthorized))
		Expect(plane.Ledger.Told()).To(ContainSubstring(`"method":"service_account_token","serviceAccount":"` + name + `/orders"`))

		By("no longer trusting it")
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.ServiceAccounts = nil })
		Eventually(status).WithArguments(tokens, own, client).Should(Equal(http.StatusUnauthorized))
		Expect(tokens.Verify(token.AccessToken, "scope=Webhook&account="+name).Status).To(Equal(http.StatusOK), "what it took lives on")
	})

	It("follows the API server's keys through a rotation and an outage", func(ctx context.Context) {
		DeferCleanup(func(ctx context.Context) { Expect(plane.StartAPIServer(ctx)).To(Succeed()) })
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		orders, before := ready(ctx, tokens)
		name, client := orders.Namespace, orders.Namespace+".orders"

		plane.StopAPIServer()
		Expect(status(tokens, before, client)).To(Equal(http.StatusOK), "the keys that are known stay")

		Expect(plane.RotateServiceAccountKey()).To(Succeed())
		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		after := plane.ServiceAccountToken(ctx, name, "orders", harness.Issuer)
		Expect(strings.Split(after, ".")[0]).NotTo(Equal(strings.Split(before, ".")[0]), "the header names another key")
		Eventually(status).WithArguments(tokens, after, client).Should(Equal(http.StatusOK))
		Expect(status(tokens, before, client)).To(Equal(http.StatusOK), "the API server publishes both")
	})

	It("introspects by its namespace, and from a console namespace everything", func(ctx context.Context) {
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		orders, own := ready(ctx, tokens)
		_, taken := tokens.PostToken(harness.Asserted(own, "client_id", orders.Namespace+".orders"))
		const inactive = `{"active":false}`
		Expect(tokens.IntrospectAs(own, taken.AccessToken).Body).To(ContainSubstring(`"active":true`))
		Expect(tokens.IntrospectAs(plane.ServiceAccountToken(ctx, orders.Namespace, "gateway", harness.Issuer), taken.AccessToken).Body).To(ContainSubstring(`"active":true`))
		Expect(tokens.IntrospectAs(plane.ServiceAccountToken(ctx, fresh(), "gateway", harness.Issuer), taken.AccessToken).Body).To(Equal(inactive))
		Expect(tokens.IntrospectAs(plane.ServiceAccountToken(ctx, config.Namespace, "gateway", harness.Issuer), taken.AccessToken).Body).To(ContainSubstring(`"active":true`))
		refused := tokens.IntrospectAs(plane.ServiceAccountToken(ctx, config.Namespace, "gateway", "https://b.example"), taken.AccessToken)
		Expect(refused.Status).To(Equal(http.StatusUnauthorized))
		Expect(refused.Header.Get("WWW-Authenticate")).To(HavePrefix(`Bearer realm="claviger", error="invalid_token"`))
	})
})

var _ = Describe("keys of a client's own", func() {
	It("are judged by admission and by the condition KeysValid, and do not stop the secret", func(ctx context.Context) {
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		orders, credentials := readyOrders(ctx, tokens)
		for _, bad := range []string{
			`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, `{"keys":[{"kty":"EC","d" : "x"}]}`, "{\"keys\":[{\"kty\":\"EC\",\"d\"\n:\"x\"}]}",
		} {
			changed := orders.DeepCopy()
			Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), changed)).To(Succeed())
			changed.Spec.JWKS = bad
			Expect(plane.API.Update(ctx, changed)).To(MatchError(ContainSubstring("jwks is for public keys")), bad)
		}
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.JWKS = `{"keys":[{"kty":"EC"}]}` })
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonInvalidKeys)
		Expect(tokens.Accepts(credentials)).To(BeTrue(), "the secret works on")
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.JWKS = "" })
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
	})
})
