// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("a client ID and secret that a user brings", func() {
	const first, second = "first-secret-of-a-user", "second-secret-of-a-user"
	var (
		tokens *harness.TokenService
		name   string
		theirs *corev1.Secret
		orders *v1alpha1.ClientCredential
	)
	BeforeEach(func(ctx context.Context) {
		plane.Ledger.Add(first)
		plane.Ledger.Add(second)
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		name = fresh()
		theirs = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "theirs"}, Data: map[string][]byte{
			"client_id": []byte("legacy-" + name), "client_secret": []byte(first),
		}}
		orders = builder.ClientCredential(name, "orders", builder.ForAccount(name))
		orders.Spec.SecretRef = &v1alpha1.ClientSecretReference{Name: "theirs"}
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
	})
	with := func(secret string) harness.Credentials {
		return harness.Credentials{ID: "legacy-" + name, Secret: secret}
	}
	edit := func(ctx context.Context, how func(map[string][]byte)) {
		GinkgoHelper()
		harness.Patch(ctx, plane, theirs, func(s *corev1.Secret) { how(s.Data) })
	}

	It("works, is bound, and is never written", func(ctx context.Context) {
		plane.Create(ctx, theirs, orders)
		version := theirs.ResourceVersion
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
		Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
		Expect(orders.Status.ClientID).To(Equal("legacy-" + name))
		Expect(orders.Status.Binding.Name).To(Equal("theirs"))
		Expect(plane.Secret(ctx, orders).ResourceVersion).To(Equal(version))
		var secrets corev1.SecretList
		Expect(plane.API.List(ctx, &secrets)).To(Succeed())
		for i := range secrets.Items {
			Expect(secrets.Items[i].Namespace == name && secrets.Items[i].Name != "theirs").To(BeFalse(), "no other Secret is published")
		}
	})

	It("may come after its credential, under keys of their own", func(ctx context.Context) {
		orders.Spec.SecretRef = &v1alpha1.ClientSecretReference{Name: "theirs", ClientIDKey: "user", ClientSecretKey: "pass"}
		plane.Create(ctx, orders)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSecretNotFound)
		Expect(isCondition(orders, v1alpha1.ConditionReconciling)).To(BeTrue())
		Expect(orders.Status.ClientID).To(BeEmpty(), "nobody knows it yet")
		theirs.Data = map[string][]byte{"user": []byte("legacy-" + name), "pass": []byte(first)}
		plane.Create(ctx, theirs)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
		Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
	})

	It("rotates with an edit: the old secret works for the overlap", func(ctx context.Context) {
		plane.Create(ctx, theirs, orders)
		Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
		edit(ctx, func(data map[string][]byte) { data["client_secret"] = []byte(second) })
		Eventually(tokens.Accepts).WithArguments(with(second)).Should(BeTrue())
		Expect(tokens.Accepts(with(first))).To(BeTrue())
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
		Expect(orders.Status.Verifiers).To(HaveLen(2))
		Expect(orders.Status.Verifiers[1].ExpiresAt).NotTo(BeNil())
	})

	DescribeTable("that cannot be used is a clear condition, and what worked before still does",
		func(ctx context.Context, says string, how func(map[string][]byte)) {
			plane.Create(ctx, theirs, orders)
			Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
			edit(ctx, how)
			plane.ExpectReason(ctx, orders, v1alpha1.ReasonInvalidSecret)
			Expect(isCondition(orders, v1alpha1.ConditionStalled)).To(BeTrue())
			Expect(readyMessage(orders)).To(And(ContainSubstring("theirs"), ContainSubstring(says)))
			Expect(tokens.Accepts(with(first))).To(BeTrue())
			edit(ctx, func(data map[string][]byte) {
				data["client_id"], data["client_secret"] = []byte("legacy-"+name), []byte(second)
			})
			plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
			Eventually(tokens.Accepts).WithArguments(with(second)).Should(BeTrue())
		},
		Entry("the secret is missing", "has no key client_secret", func(data map[string][]byte) { delete(data, "client_secret") }),
		Entry("the secret is too short", "too short", func(data map[string][]byte) { data["client_secret"] = []byte("fifteen-letters") }),
		Entry("the secret ends with a line break", "line break", func(data map[string][]byte) { data["client_secret"] = []byte(second + "\n") }),
		Entry("the client ID is another", "never changes", func(data map[string][]byte) { data["client_id"] = []byte("another") }),
	)

	It("can be published in a Secret of ours too", func(ctx context.Context) {
		orders.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "ours"}
		plane.Create(ctx, theirs, orders)
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(with(first)))
		Expect(orders.Status.Binding.Name).To(Equal("ours"))
		edit(ctx, func(data map[string][]byte) { data["client_secret"] = []byte(second) })
		Eventually(func() harness.Credentials { return plane.Credentials(ctx, orders) }).Should(Equal(with(second)))
		Eventually(tokens.Accepts).WithArguments(with(second)).Should(BeTrue())
		Expect(tokens.Accepts(with(first))).To(BeTrue())
	})

	It("can be given up for a generated secret, under the same client ID", func(ctx context.Context) {
		plane.Create(ctx, theirs, orders)
		Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.SecretRef = nil })
		after := plane.ExpectReady(ctx, orders)
		Expect(after.ID).To(Equal("legacy-" + name))
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
		Expect(tokens.Accepts(with(first))).To(BeTrue(), "for the overlap")
	})

	DescribeTable("is never taken for ours, whatever its Secret is called", func(ctx context.Context, change func(*v1alpha1.ClientCredential)) {
		theirs.Name, orders.Spec.SecretRef.Name = "orders", "orders"
		plane.Create(ctx, theirs, orders)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
		Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
		harness.Patch(ctx, plane, orders, change)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSecretConflict)
		now := plane.Secret(ctx, orders)
		Expect(now.ResourceVersion).To(Equal(theirs.ResourceVersion))
		Expect(tokens.Accepts(with(first))).To(BeTrue())
	},
		Entry("when a Secret of that name is to be published too", func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Labels: map[string]v1alpha1.LabelValue{"a": "b"}}
		}),
		Entry("when it is given up", func(c *v1alpha1.ClientCredential) { c.Spec.SecretRef = nil }),
	)

	It("leaves its client ID behind for good, even where the status is lost", func(ctx context.Context) {
		plane.Create(ctx, theirs, orders)
		Eventually(tokens.Accepts).WithArguments(with(first)).Should(BeTrue())
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.SecretRef = nil })
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		after := plane.ExpectReady(ctx, orders)
		orders.Status = v1alpha1.ClientCredentialStatus{}
		Expect(plane.API.Status().Update(ctx, orders)).To(Succeed())
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(after))
		Expect(orders.Status.ClientID).To(Equal("legacy-" + name))
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
	})

	It("is claimed by the older of two, and the younger says so", func(ctx context.Context) {
		older := builder.ClientCredential(name, "older", builder.ForAccount(name))
		older.Spec.ClientID = "contested-" + name
		plane.Create(ctx, older)
		credentials := plane.ExpectReady(ctx, older)
		Expect(credentials.ID).To(Equal("contested-" + name))
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())

		elsewhere := name + "-other"
		younger := builder.ClientCredential(elsewhere, "younger", builder.ForAccount(elsewhere))
		younger.Spec.ClientID = older.Spec.ClientID
		plane.Create(ctx, builder.Account(elsewhere, builder.Namespaces(elsewhere)))
		waitForNextSecond() // objects are stamped in seconds
		plane.Create(ctx, younger)
		plane.ExpectReason(ctx, younger, v1alpha1.ReasonClientIDConflict)
		Expect(readyMessage(younger)).To(And(ContainSubstring(older.Spec.ClientID), Not(ContainSubstring("older"))), "it names no object of others")
		Expect(plane.ExpectReady(ctx, older)).To(Equal(credentials))
		Expect(tokens.Accepts(credentials)).To(BeTrue())

		By("deleting the older")
		Expect(plane.API.Delete(ctx, older)).To(Succeed())
		taken := plane.ExpectReady(ctx, younger)
		Eventually(tokens.Accepts).WithArguments(taken).Should(BeTrue())
		Expect(tokens.Accepts(credentials)).To(BeFalse())
	})

	It("cannot take the ID that another namespace's object has, or will have", func(ctx context.Context) {
		elsewhere := name + "-other"
		squatter := builder.ClientCredential(elsewhere, "squatter", builder.ForAccount(elsewhere))
		squatter.Spec.ClientID = name + ".victim"
		plane.Create(ctx, builder.Account(elsewhere, builder.Namespaces(elsewhere)), squatter)
		plane.ExpectReady(ctx, squatter)
		waitForNextSecond()
		victim := builder.ClientCredential(name, "victim", builder.ForAccount(name))
		plane.Create(ctx, victim)
		Eventually(tokens.Accepts).WithArguments(plane.ExpectReady(ctx, victim)).Should(BeTrue())
		plane.ExpectReason(ctx, squatter, v1alpha1.ReasonClientIDConflict)
	})
})
