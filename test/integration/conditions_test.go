// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

func isCondition(credential *v1alpha1.ClientCredential, name string) bool {
	return meta.IsStatusConditionTrue(credential.Status.Conditions, name)
}

func readyMessage(credential *v1alpha1.ClientCredential) string {
	GinkgoHelper()
	ready := meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady)
	Expect(ready).NotTo(BeNil())
	return ready.Message
}

var _ = Describe("an Account's status", func() {
	BeforeEach(func() { plane.StartManager(nil) })

	expectReason := func(ctx context.Context, account *v1alpha1.Account, reason string) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			g.Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(account), account)).To(Succeed())
			ready := meta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionReady)
			g.Expect(ready).NotTo(BeNil())
			g.Expect(ready.Reason).To(Equal(reason))
			g.Expect(account.Status.ObservedGeneration).To(Equal(account.Generation))
			stalled := meta.IsStatusConditionTrue(account.Status.Conditions, v1alpha1.ConditionStalled)
			g.Expect(stalled).To(Equal(ready.Status == metav1.ConditionFalse))
		}).Should(Succeed())
	}

	It("follows its spec, and is made anew when it is wiped", func(ctx context.Context) {
		account := builder.Account(fresh())
		plane.Create(ctx, account)
		expectReason(ctx, account, v1alpha1.ReasonActive)
		harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) { a.Spec.Suspend = true })
		expectReason(ctx, account, v1alpha1.ReasonSuspended)
		harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) {
			a.Spec.Suspend = false
			a.Spec.Namespaces.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Nonsense"}}}
		})
		expectReason(ctx, account, v1alpha1.ReasonInvalidSelector)
		account.Status = v1alpha1.AccountStatus{}
		Expect(plane.API.Status().Update(ctx, account)).To(Succeed())
		expectReason(ctx, account, v1alpha1.ReasonInvalidSelector)
	})
})
