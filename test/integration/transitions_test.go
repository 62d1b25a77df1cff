// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// Changes that meet something in their way.
var _ = Describe("a change of a spec", func() {
	var (
		counter *writes
		manager *harness.Role
		tokens  *harness.TokenService
		orders  *v1alpha1.ClientCredential
		before  harness.Credentials
	)
	BeforeEach(func(ctx context.Context) {
		counter = &writes{}
		manager = plane.StartManager(counter.wrap)
		tokens = plane.StartTokenService()
		orders, before = readyOrders(ctx, tokens)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	})
	change := func(ctx context.Context, how func(*v1alpha1.ClientCredential)) {
		GinkgoHelper()
		harness.Patch(ctx, plane, orders, how)
	}
	gone := func(ctx context.Context, name string) func() bool {
		return func() bool {
			return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKey{Namespace: orders.Namespace, Name: name}, &corev1.Secret{}))
		}
	}

	It("to a type that Kubernetes does not take leaves the Secret as it was", func(ctx context.Context) {
		was := plane.Secret(ctx, orders)
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Type: string(corev1.SecretTypeTLS)}
		})
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonInvalidTemplate)
		Expect(plane.Secret(ctx, orders).ResourceVersion).To(Equal(was.ResourceVersion))
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = nil })
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
	})

	It("to another type waits where something holds up the old Secret, and says so", func(ctx context.Context) {
		held := func(finalizers ...string) {
			harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Finalizers = finalizers })
		}
		held("example.com/hold")
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Type: "Opaque"} })
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSecretConflict)
		Expect(isCondition(orders, v1alpha1.ConditionReconciling)).To(BeTrue())
		Expect(readyMessage(orders)).To(ContainSubstring("finalizers"))
		made := counter.concerning(orders.Namespace)
		lookAgain(ctx, orders)
		Consistently(counter.concerning).WithArguments(orders.Namespace).WithTimeout(3*time.Second).Should(Equal(made), "it waits, and tries nothing")
		Expect(tokens.Accepts(before)).To(BeTrue())
		held()
		Eventually(func() corev1.SecretType {
			secret := &corev1.Secret{}
			_ = plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret)
			return secret.Type
		}).Should(Equal(corev1.SecretTypeOpaque))
		Eventually(tokens.Accepts).WithArguments(plane.ExpectReady(ctx, orders)).Should(BeTrue())
	})

	DescribeTable("to a Secret of the user's that is ours is refused, and nothing happens to it", func(ctx context.Context, template *v1alpha1.SecretTemplate) {
		was := plane.Secret(ctx, orders)
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretRef = &v1alpha1.ClientSecretReference{Name: "orders"}
			c.Spec.SecretTemplate = template
		})
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonInvalidSecret)
		Expect(readyMessage(orders)).To(ContainSubstring("Claviger publishes"))
		Expect(plane.Secret(ctx, orders).ResourceVersion).To(Equal(was.ResourceVersion))
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.SecretRef, c.Spec.SecretTemplate = nil, nil })
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
	},
		Entry("without a Secret of ours", nil),
		Entry("with one that would be the same", &v1alpha1.SecretTemplate{Keys: map[string]v1alpha1.SecretKey{"client_secret": "password"}}),
	)

	It("to another name finds the old Secret though it has lost its label meanwhile", func(ctx context.Context) {
		Expect(manager.Stop()).To(Succeed())
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Labels = nil })
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"}
			c.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}}
		})
		plane.StartManager(nil)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		Eventually(gone(ctx, "orders")).Should(BeTrue())
	})

	It("of the deletion policy counts while the credential is suspended, too", func(ctx context.Context) {
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.Suspend = true
			c.Spec.DeletionPolicy = v1alpha1.DeletionRetain
		})
		Eventually(func() []metav1.OwnerReference { return plane.Secret(ctx, orders).OwnerReferences }).Should(BeEmpty())
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSuspended)
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		Eventually(func() map[string]string { return plane.Secret(ctx, orders).Annotations }).Should(HaveKey(v1alpha1.AnnotationRetained))
	})

	It("that was given up for good leaves nothing behind, though the object was made anew meanwhile", func(ctx context.Context) {
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.DeletionPolicy = v1alpha1.DeletionRetain
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"}
		})
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		Expect(manager.Stop()).To(Succeed())
		again := orders.DeepCopy()
		again.ObjectMeta = metav1.ObjectMeta{Namespace: orders.Namespace, Name: "orders"}
		again.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}}
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		plane.Create(ctx, again)
		plane.StartManager(nil)
		Eventually(settled).WithArguments(ctx, again).Should(BeTrue())
		Expect(plane.ExpectReady(ctx, again)).To(Equal(before), "the retained Secret is taken up")
		Eventually(gone(ctx, "orders")).Should(BeTrue(), "and the one of the former name is not forgotten")
	})
})

var _ = It("an edit of an imported secret is told, counted and published in order, with a Secret of ours beside it", func(ctx context.Context) {
	const first, second = "first-secret-of-a-user", "second-secret-of-a-user"
	plane.Ledger.Add(first)
	plane.Ledger.Add(second)
	manager := plane.StartManager(nil)
	name := fresh()
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: name, Name: "theirs", Labels: map[string]string{v1alpha1.LabelSecret: "copied"}, // as a copy of one of ours has it
	}, Data: map[string][]byte{"client_id": []byte("legacy-" + name), "client_secret": []byte(first)}}
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	orders.Spec.SecretRef = &v1alpha1.ClientSecretReference{Name: "theirs"}
	orders.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "ours"}
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), theirs, orders)
	Expect(plane.ExpectReady(ctx, orders).Secret == first).To(BeTrue())

	for i, secret := range []string{second, first, second, first} { // not one edit is missed
		harness.Patch(ctx, plane, theirs, func(s *corev1.Secret) { s.Data["client_secret"] = []byte(secret) })
		Eventually(func() bool { return string(plane.Secret(ctx, orders).Data["client_secret"]) == secret }).Should(BeTrue(), "edit %d", i)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	}
	Eventually(func(g Gomega) {
		var events eventsv1.EventList
		g.Expect(plane.API.List(ctx, &events, client.InNamespace(name))).To(Succeed())
		var reasons []string
		for i := range events.Items {
			reasons = append(reasons, events.Items[i].Reason)
		}
		g.Expect(reasons).To(ContainElement("SecretRotated"))
	}).Should(Succeed())
	Expect(manager.Metrics()).To(MatchRegexp(`claviger_client_secret_rotations_total\{cause="Import"\} [1-9]`))
})
