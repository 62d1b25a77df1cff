// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// A backup tool puts objects and Secrets back as they were: the objects get new UIDs, and the Secrets name owners that no longer
// exist, so that the garbage collector is after them.
var _ = Describe("a backup that is restored", func() {
	var (
		manager *harness.Role
		tokens  *harness.TokenService
		orders  *v1alpha1.ClientCredential
		before  harness.Credentials
		secret  *corev1.Secret
	)
	BeforeEach(func(ctx context.Context) {
		manager = plane.StartManager(nil)
		tokens = plane.StartTokenService()
		orders, before = readyOrders(ctx, tokens)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		secret = plane.Secret(ctx, orders)

		By("losing everything")
		Expect(manager.Stop()).To(Succeed())
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(secret), &corev1.Secret{}))
		}).Should(BeTrue())
		harness.ExpectPromptly(func() bool { return tokens.Accepts(before) }, false)
	})
	restoredObject := func() *v1alpha1.ClientCredential {
		again := orders.DeepCopy()
		again.ObjectMeta = metav1.ObjectMeta{Namespace: orders.Namespace, Name: orders.Name}
		return again
	}
	restoredSecret := func() *corev1.Secret {
		again := secret.DeepCopy()
		again.ResourceVersion, again.UID = "", ""
		return again
	}
	// Whichever is faster, the manager or the garbage collector: clients keep working.
	works := func(ctx context.Context, again *v1alpha1.ClientCredential) {
		GinkgoHelper()
		Eventually(settled).WithArguments(ctx, again).Should(BeTrue())
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
		Eventually(func() bool { return metav1.IsControlledBy(plane.Secret(ctx, again), again) }).Should(BeTrue())
		after := plane.ExpectReady(ctx, again)
		Expect(after.ID).To(Equal(before.ID))
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
	}

	It("works when the Secret comes before its object", func(ctx context.Context) {
		manager = plane.StartManager(nil)
		again, back := restoredObject(), restoredSecret()
		orphan := back.DeepCopy()
		orphan.OwnerReferences = nil // what some tools do; and otherwise the collector may win before the object is there
		plane.Create(ctx, orphan, again)
		works(ctx, again)
		Expect(plane.ExpectReady(ctx, again)).To(Equal(before))
		Expect(plane.Secret(ctx, again).UID).To(Equal(orphan.UID), "it is the very Secret that was restored")
	})

	It("works when the object comes before its Secret", func(ctx context.Context) {
		again, orphan := restoredObject(), restoredSecret()
		orphan.OwnerReferences = nil
		plane.Create(ctx, again, orphan)
		manager = plane.StartManager(nil)
		works(ctx, again)
		Expect(plane.ExpectReady(ctx, again)).To(Equal(before))
	})

	It("ends well with the old owner on the Secret, whoever is faster, manager or garbage collector", func(ctx context.Context) {
		manager = plane.StartManager(nil)
		again, back := restoredObject(), restoredSecret()
		plane.Create(ctx, back, again)
		Eventually(settled).WithArguments(ctx, again).Should(BeTrue())
		after := plane.ExpectReady(ctx, again)
		Expect(after.ID).To(Equal(before.ID))
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
		Expect(metav1.IsControlledBy(plane.Secret(ctx, again), again)).To(BeTrue())
	})

	It("works when the Secret comes back over one that was made meanwhile", func(ctx context.Context) {
		again := restoredObject()
		plane.Create(ctx, again)
		manager = plane.StartManager(nil)
		between := plane.ExpectReady(ctx, again)
		Eventually(tokens.Accepts).WithArguments(between).Should(BeTrue())
		harness.Patch(ctx, plane, plane.Secret(ctx, again), func(s *corev1.Secret) {
			s.Data, s.Annotations = secret.Data, secret.Annotations
			s.OwnerReferences = nil
		})
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
		Expect(tokens.Accepts(between)).To(BeTrue(), "for the overlap")
		Expect(plane.ExpectReady(ctx, again)).To(Equal(before))
	})

	It("works with a status that was restored too, of an object of another UID", func(ctx context.Context) {
		again := restoredObject()
		plane.Create(ctx, again)
		again.Status = orders.Status
		Expect(plane.API.Status().Update(ctx, again)).To(Succeed())
		orphan := restoredSecret()
		orphan.OwnerReferences = nil
		plane.Create(ctx, orphan)
		manager = plane.StartManager(nil)
		works(ctx, again)
		Expect(plane.Secret(ctx, again).UID).To(Equal(orphan.UID))
	})

	It("takes no Secret that names another credential", func(ctx context.Context) {
		orphan := restoredSecret()
		orphan.Name, orphan.OwnerReferences = "stranger", nil
		stranger := builder.ClientCredential(orders.Namespace, "stranger", builder.ForAccount(orders.Namespace))
		plane.Create(ctx, orphan, stranger)
		manager = plane.StartManager(nil)
		plane.ExpectReason(ctx, stranger, v1alpha1.ReasonSecretConflict)
	})
})
