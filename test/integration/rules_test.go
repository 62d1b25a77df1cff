// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("the rules", func() {
	var (
		tokens *harness.TokenService
		name   string
	)
	BeforeEach(func() {
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		name = fresh()
	})

	// Each row breaks one rule for a credential that worked, and mends it again. The status says so with a reason, and the
	// token endpoint and /verify enforce the same verdict: tokens die, and live again.
	DescribeTable("are enforced by status, token endpoint and verify alike", func(ctx context.Context, reason string, change, mend func(context.Context, string)) {
		plane.Namespace(ctx, name, map[string]string{"team": name})
		account := builder.Account(name, builder.Scopes("orders.read"), builder.Selector(metav1.LabelSelector{MatchLabels: map[string]string{"team": name}}))
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name), builder.WithScopes("Webhook", "orders.read"))
		plane.Create(ctx, account, orders)
		credentials := plane.ExpectReady(ctx, orders)
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
		token := tokens.TakeToken(credentials)
		verdict := func() int { return tokens.Verify(token, "scope=Webhook&account="+name).Status }
		Expect(verdict()).To(Equal(http.StatusOK))

		change(ctx, name)
		harness.ExpectPromptly(verdict, http.StatusUnauthorized)
		Expect(tokens.Accepts(credentials)).To(BeFalse())
		plane.ExpectReason(ctx, orders, reason)

		mend(ctx, name)
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(credentials), "the secret is the same")
		Expect(verdict()).To(Equal(http.StatusOK), "an unexpired token works again")
	},
		Entry("credential suspended", v1alpha1.ReasonSuspended,
			changeCredential(func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true }),
			changeCredential(func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = false })),
		Entry("account suspended", v1alpha1.ReasonAccountSuspended,
			changeAccount(func(a *v1alpha1.Account) { a.Spec.Suspend = true }),
			changeAccount(func(a *v1alpha1.Account) { a.Spec.Suspend = false })),
		Entry("namespace taken from the account", v1alpha1.ReasonNamespaceNotAllowed,
			changeAccount(func(a *v1alpha1.Account) { a.Spec.Namespaces = v1alpha1.AccountNamespaces{} }),
			changeAccount(func(a *v1alpha1.Account) { a.Spec.Namespaces.Names = []string{a.Name} })),
		Entry("namespace has lost the label that the account selects by", v1alpha1.ReasonNamespaceNotAllowed,
			changeNamespace(func(n *corev1.Namespace) { delete(n.Labels, "team") }),
			changeNamespace(func(n *corev1.Namespace) { n.Labels["team"] = n.Name })),
		Entry("scope taken from the account", v1alpha1.ReasonScopeNotAllowed,
			changeAccount(func(a *v1alpha1.Account) { a.Spec.Scopes = nil }),
			changeAccount(func(a *v1alpha1.Account) { a.Spec.Scopes = []v1alpha1.Scope{"orders.read"} })),
	)

	It("wait for an account that comes after its credential, as GitOps may have it", func(ctx context.Context) {
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, orders)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonAccountNotFound)
		Expect(isCondition(orders, v1alpha1.ConditionReconciling)).To(BeTrue(), "kstatus: InProgress, not Failed")
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		plane.ExpectReady(ctx, orders)
	})

	It("give no Secret to a credential that is not allowed", func(ctx context.Context) {
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, builder.Account(name), orders)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonNamespaceNotAllowed)
		Expect(isCondition(orders, v1alpha1.ConditionStalled)).To(BeTrue())
		Expect(apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), &corev1.Secret{}))).To(BeTrue())
	})

	It("let a console-level credential stand only in the operator's namespaces", func(ctx context.Context) {
		elsewhere, here := builder.ClientCredential(name, "console"), builder.ClientCredential(config.Namespace, name)
		plane.Create(ctx, elsewhere, here)
		plane.ExpectReason(ctx, elsewhere, v1alpha1.ReasonConsoleNotAllowed)
		Expect(readyMessage(elsewhere)).To(ContainSubstring(config.Namespace), "the message says which namespaces may")
		credentials := plane.ExpectReady(ctx, here)
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
		token := tokens.TakeToken(credentials)
		Expect(tokens.Verify(token, "scope=API").Status).To(Equal(http.StatusOK))
	})

	DescribeTable("kill tokens at once when an object is deleted", func(ctx context.Context, remove func(context.Context, string)) {
		orders, credentials := readyOrders(ctx, tokens)
		name = orders.Namespace
		token := tokens.TakeToken(credentials)
		remove(ctx, name)
		harness.ExpectPromptly(func() int { return tokens.Verify(token, "scope=Webhook&account="+name).Status }, http.StatusUnauthorized)
		Expect(tokens.Accepts(credentials)).To(BeFalse())
	},
		Entry("the credential", func(ctx context.Context, name string) {
			Expect(plane.API.Delete(ctx, builder.ClientCredential(name, "orders"))).To(Succeed())
		}),
		Entry("the account", func(ctx context.Context, name string) {
			Expect(plane.API.Delete(ctx, builder.Account(name))).To(Succeed())
		}),
	)

	It("say that a credential is being deleted while a finalizer holds it, and kill its tokens all the same", func(ctx context.Context) {
		const finalizer = "example.com/held"
		orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
		orders.Finalizers = []string{finalizer}
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
		DeferCleanup(func(ctx context.Context) {
			harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Finalizers = nil })
		})
		credentials := plane.ExpectReady(ctx, orders)
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		harness.ExpectPromptly(func() bool { return tokens.Accepts(credentials) }, false)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonDeleting)
	})

	It("kill tokens of an account that is deleted and created again", func(ctx context.Context) {
		orders, credentials := readyOrders(ctx, tokens)
		name = orders.Namespace
		token := tokens.TakeToken(credentials)
		Expect(plane.API.Delete(ctx, builder.Account(name))).To(Succeed())
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonAccountNotFound)
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(credentials))
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue(), "the secret goes on")
		Expect(tokens.Verify(token, "scope=Webhook&account="+name).Status).To(Equal(http.StatusUnauthorized), "the token does not")
	})

	It("kill restricted tokens of an account that is suspended", func(ctx context.Context) {
		console := builder.ClientCredential(config.Namespace, name)
		plane.Create(ctx, builder.Account(name), console)
		credentials := plane.ExpectReady(ctx, console)
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
		var token string
		Eventually(func() string {
			_, answer := tokens.PostToken(credentials.Form("scope", "account:"+name))
			token = answer.AccessToken
			return token
		}).ShouldNot(BeEmpty(), "the token service knows the Account")
		Expect(tokens.Verify(token, "scope=API").Status).To(Equal(http.StatusOK))
		changeAccount(func(a *v1alpha1.Account) { a.Spec.Suspend = true })(ctx, name)
		harness.ExpectPromptly(func() int { return tokens.Verify(token, "scope=API").Status }, http.StatusUnauthorized)
	})
})

func changeCredential(change func(*v1alpha1.ClientCredential)) func(context.Context, string) {
	return func(ctx context.Context, name string) {
		harness.Patch(ctx, plane, builder.ClientCredential(name, "orders"), change)
	}
}

func changeAccount(change func(*v1alpha1.Account)) func(context.Context, string) {
	return func(ctx context.Context, name string) { harness.Patch(ctx, plane, builder.Account(name), change) }
}

func changeNamespace(change func(*corev1.Namespace)) func(context.Context, string) {
	return func(ctx context.Context, name string) {
		harness.Patch(ctx, plane, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, change)
	}
}
