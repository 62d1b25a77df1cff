// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("a ClientCredential", func() {
	var (
		counter *writes
		tokens  *harness.TokenService
		name    string
	)
	BeforeEach(func() {
		counter = &writes{}
		plane.StartManager(counter.wrap)
		tokens = plane.StartTokenService()
		name = fresh()
	})

	It("gets an owned Secret that can be traded for tokens", func(ctx context.Context) {
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name), builder.WithScopes("Webhook", "MCP"), builder.TokenMinutes(60))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
		credentials := plane.ExpectReady(ctx, orders)
		Expect(orders.Status.ClientID).To(Equal(name + ".orders"))
		Expect(orders.Status.Binding.Name).To(Equal("orders"))
		Expect(orders.Status.Verifiers).To(HaveLen(1))

		secret := plane.Secret(ctx, orders)
		Expect(metav1.IsControlledBy(secret, orders)).To(BeTrue())
		Expect(secret.Type).To(Equal(corev1.SecretType("servicebinding.io/oauth2")))
		Expect(credential.IsGeneratedSecret(credentials.Secret)).To(BeTrue())
		public := map[string]string{}
		for key, value := range secret.Data {
			if key != v1alpha1.SecretKeyClientSecret {
				public[key] = string(value)
			}
		}
		Expect(public).To(Equal(map[string]string{
			"type": "oauth2", "provider": "claviger", "client_id": name + ".orders", "issuer": harness.Issuer,
			"token_url": harness.Issuer + "/oauth/token", "scope": "Webhook MCP", "account": name,
		}))

		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
		_, token := tokens.PostToken(credentials.Form())
		Expect(token.ExpiresIn).To(Equal(3600))
	})

	It("is created with two writes, and in the steady state there are none", func(ctx context.Context) {
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		Eventually(counter.concerning).WithArguments(name).Should(Equal(int64(1)), "the status of the Account")
		plane.Create(ctx, orders)
		plane.ExpectReady(ctx, orders)
		Consistently(counter.concerning).WithArguments(name).WithTimeout(2*time.Second).
			Should(Equal(int64(3)), "and a Secret and a status for the credential")

		By("touching what changes nothing")
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Annotations = map[string]string{"note": "x"} })
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) {
			s.Annotations["note"] = "x"
			s.Labels["theirs"] = "stays"
		})
		Consistently(counter.concerning).WithArguments(name).WithTimeout(2*time.Second).Should(Equal(int64(3)), "no further write")
		Expect(plane.Secret(ctx, orders).Labels).To(HaveKeyWithValue("theirs", "stays"))
	})

	It("tells of a transition in an event, once", func(ctx context.Context) {
		account, orders := builder.Account(name, builder.Namespaces(name)), builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, account)
		Eventually(conditions).WithArguments(ctx, account).ShouldNot(BeEmpty(), "the manager knows the Account")
		plane.Create(ctx, orders)
		plane.ExpectReady(ctx, orders)
		Eventually(func(g Gomega) {
			var events eventsv1.EventList
			g.Expect(plane.API.List(ctx, &events, client.InNamespace(name))).To(Succeed())
			g.Expect(events.Items).To(HaveLen(1))
			g.Expect(events.Items[0].Reason).To(Equal(v1alpha1.ReasonIssued))
			g.Expect(events.Items[0].Regarding.Name).To(Equal("orders"))
			g.Expect(events.Items[0].Type).To(Equal(corev1.EventTypeNormal))
		}).Should(Succeed())
		lookAgain(ctx, orders)
		Consistently(func() int {
			var events eventsv1.EventList
			Expect(plane.API.List(ctx, &events, client.InNamespace(name))).To(Succeed())
			return len(events.Items)
		}).WithTimeout(time.Second).Should(Equal(1))
	})

	It("keeps its secret when its spec changes, and the Secret follows", func(ctx context.Context) {
		orders, before := readyOrders(ctx, tokens)
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
			c.Spec.Scopes = []v1alpha1.Scope{"MCP"}
			c.Spec.TokenExpiryMinutes = 5
		})
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		Expect(string(plane.Secret(ctx, orders).Data["scope"])).To(Equal("MCP"))
		Eventually(func() int {
			_, token := tokens.PostToken(before.Form())
			return token.ExpiresIn
		}).Should(Equal(300), "the change applies to the next token")
	})

	It("takes its Secret along when it is deleted", func(ctx context.Context) {
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
		plane.ExpectReady(ctx, orders)
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), &corev1.Secret{}))
		}).Should(BeTrue())
	})

	It("that is deleted and created again has the same ID, and tokens of its first life stay dead", func(ctx context.Context) {
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		first := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, first)
		before := plane.ExpectReady(ctx, first)
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
		token := tokens.TakeToken(before)
		Expect(plane.API.Delete(ctx, first)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(first), &corev1.Secret{}))
		}).Should(BeTrue(), "the Secret goes too; created before that, the second takes it over, as restore_test.go has it")

		second := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, second)
		after := plane.ExpectReady(ctx, second)
		Expect(after.ID).To(Equal(before.ID))
		Expect(after.Secret == before.Secret).To(BeFalse(), "the secret is another")
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
		Expect(tokens.Accepts(before)).To(BeFalse())
		Expect(tokens.Verify(token, "scope=Webhook&account="+name).Status).To(Equal(http.StatusUnauthorized))
	})
})
