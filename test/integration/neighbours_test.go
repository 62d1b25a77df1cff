// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// What other operators of this kind are known to get wrong.
var _ = Describe("failures known from elsewhere", func() {
	var (
		tokens *harness.TokenService
		orders *v1alpha1.ClientCredential
		before harness.Credentials
	)
	BeforeEach(func(ctx context.Context) {
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		orders, before = readyOrders(ctx, tokens)
	})

	It("an update that fails is not Ready, is tried again, and is Ready once it is done", func(ctx context.Context) {
		policy, binding := refuseSecrets(orders.Namespace)
		policy.Spec.MatchConstraints.ResourceRules[0].Operations = append(policy.Spec.MatchConstraints.ResourceRules[0].Operations, "UPDATE")
		plane.Create(ctx, policy, binding)
		DeferCleanup(func(ctx context.Context) { _ = client.IgnoreNotFound(plane.API.Delete(ctx, binding)) })
		Eventually(func() error { return plane.API.Update(ctx, plane.Secret(ctx, orders), client.DryRunAll) }).ShouldNot(Succeed(), "the policy is in force")

		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Scopes = []v1alpha1.Scope{"MCP"} })
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonWriteFailed)
		Expect(meta.IsStatusConditionFalse(orders.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		Expect(string(plane.Secret(ctx, orders).Data["scope"])).To(Equal("Webhook"))
		Expect(plane.API.Delete(ctx, binding)).To(Succeed())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before), "without anybody touching anything")
		Expect(string(plane.Secret(ctx, orders).Data["scope"])).To(Equal("MCP"))
	})

	It("deleting the Secret makes no new client", func(ctx context.Context) {
		Expect(plane.API.Delete(ctx, plane.Secret(ctx, orders))).To(Succeed())
		Eventually(func() string {
			secret := &corev1.Secret{}
			_ = plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret)
			return string(secret.Data["client_id"])
		}).Should(Equal(before.ID))
		Expect(tokens.Accepts(before)).To(BeTrue(), "nor does it end the old secret")
	})

	It("making the client anew never leaves none: nothing is deleted before its successor works", func(ctx context.Context) {
		policy, binding := refuseSecrets(orders.Namespace)
		plane.Create(ctx, policy, binding)
		DeferCleanup(func(ctx context.Context) { _ = client.IgnoreNotFound(plane.API.Delete(ctx, binding)) })
		Eventually(func() error {
			probe := &corev1.Secret{}
			probe.Namespace, probe.Name = orders.Namespace, "probe"
			return plane.API.Create(ctx, probe, client.DryRunAll)
		}).ShouldNot(Succeed(), "the policy is in force")
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "elsewhere"}
		})
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonWriteFailed)
		Expect(plane.Credentials(ctx, orders)).To(Equal(before), "the Secret of the old name is there")
		Expect(tokens.Accepts(before)).To(BeTrue())
	})

	It("another name for the Secret rotates nothing and leaves no dead Secret behind", func(ctx context.Context) {
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"}
			c.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}}
		})
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		Eventually(func() bool {
			return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), &corev1.Secret{}))
		}).Should(BeTrue())
	})

	It("lists of clients have no last page: all that were deleted are dead", func(ctx context.Context) {
		const many = 550 // more than a page of the API server's clients has
		name := fresh()
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		plane.Namespace(ctx, name, nil)
		inParallel(many, func(i int) {
			Expect(plane.API.Create(ctx, builder.ClientCredential(name, fmt.Sprintf("c%d", i), builder.ForAccount(name)))).To(Succeed())
		})
		var secrets corev1.SecretList
		count := func() int {
			Expect(plane.API.List(ctx, &secrets, client.InNamespace(name))).To(Succeed())
			return len(secrets.Items)
		}
		Eventually(count).WithPolling(200 * time.Millisecond).Should(Equal(many))
		late := plane.StartTokenService() // it knows them from its first list alone
		given := make([]harness.Credentials, many)
		for i := range secrets.Items {
			data := secrets.Items[i].Data
			given[i] = harness.Credentials{ID: string(data["client_id"]), Secret: string(data["client_secret"])}
			plane.Ledger.Add(given[i].Secret)
		}
		for _, credentials := range given {
			Eventually(late.Accepts).WithArguments(credentials).Should(BeTrue())
		}
		Expect(plane.API.DeleteAllOf(ctx, &v1alpha1.ClientCredential{}, client.InNamespace(name))).To(Succeed())
		for _, credentials := range given {
			Eventually(late.Accepts).WithArguments(credentials).Should(BeFalse())
		}
	})

	It("no field is accepted and dropped: what the schema does not know is refused, or warned of", func(ctx context.Context) {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ClientCredential"))
		object.SetNamespace(orders.Namespace)
		object.SetName("typo")
		object.Object["spec"] = map[string]any{"scopes": []any{"API"}, "tokenExpiryMinute": int64(5)}
		err := client.NewNamespacedClient(plane.API, orders.Namespace).Create(ctx, object, client.FieldValidation("Strict"))
		Expect(err).To(MatchError(ContainSubstring("tokenExpiryMinute")))
	})

	It("nothing of a Secret is in what the manager says of a failure", func(ctx context.Context) {
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Type: "kubernetes.io/dockerconfigjson", Data: map[string]v1alpha1.ValueTemplate{".dockerconfigjson": "{{ .ClientSecret }}"}}
		})
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonInvalidTemplate)
		Expect(strings.Contains(readyMessage(orders), before.Secret)).To(BeFalse())
	})
})

// inParallel calls a function for 0 to n-1, several at a time.
func inParallel(n int, do func(int)) {
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			defer GinkgoRecover()
			for i := worker; i < n; i += 8 {
				do(i)
			}
		})
	}
	group.Wait()
}
