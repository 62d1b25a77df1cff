// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("healing", func() {
	var (
		tokens *harness.TokenService
		orders *v1alpha1.ClientCredential
		before harness.Credentials
	)
	BeforeEach(func(ctx context.Context) {
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		name := fresh()
		orders = builder.ClientCredential(name, "orders", builder.ForAccount(name))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
		before = plane.ExpectReady(ctx, orders)
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
	})

	// replaced waits for another client secret, and expects both to work under the same client ID.
	replaced := func(ctx context.Context) {
		GinkgoHelper()
		var after harness.Credentials
		Eventually(func(g Gomega) {
			secret := &corev1.Secret{}
			g.Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret)).To(Succeed())
			after = harness.Credentials{ID: string(secret.Data["client_id"]), Secret: string(secret.Data["client_secret"])}
			g.Expect(after.Secret).To(HavePrefix("clvs_"))
			g.Expect(after.Secret == before.Secret).To(BeFalse())
		}).Should(Succeed())
		Expect(after.ID).To(Equal(before.ID), "the client ID survives")
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
		Expect(tokens.Accepts(before)).To(BeTrue(), "the old secret works for the overlap")
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		plane.ExpectReady(ctx, orders)
		Expect(orders.Status.Verifiers).To(HaveLen(2))
		Expect(orders.Status.Verifiers[1].ExpiresAt.Time).To(BeTemporally("~", time.Now().Add(24*time.Hour), time.Minute))
	}

	// restored waits until the Secret is what it was.
	restored := func(ctx context.Context, was *corev1.Secret) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			secret := &corev1.Secret{}
			g.Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(was), secret)).To(Succeed())
			same := len(secret.Data) == len(was.Data)
			for key, value := range was.Data {
				same = same && string(secret.Data[key]) == string(value)
			}
			g.Expect(same).To(BeTrue(), "the data is what it was")
			g.Expect(secret.Labels).To(Equal(was.Labels))
		}).Should(Succeed())
		Expect(tokens.Accepts(before)).To(BeTrue())
	}

	It("gives a deleted Secret a new client secret under the same ID", func(ctx context.Context) {
		Expect(plane.API.Delete(ctx, plane.Secret(ctx, orders))).To(Succeed())
		replaced(ctx)
	})

	It("gives an edited client secret no effect, and a new one in its place", func(ctx context.Context) {
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Data["client_secret"] = []byte("chosen-by-an-attacker") })
		replaced(ctx)
		Expect(tokens.Accepts(harness.Credentials{ID: before.ID, Secret: "chosen-by-an-attacker"})).To(BeFalse())
	})

	It("repairs other values without a new client secret", func(ctx context.Context) {
		was := plane.Secret(ctx, orders)
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) {
			s.Data["token_url"] = []byte("https://evil.example/token")
			s.Data["extra"] = []byte("x")
			delete(s.Data, "client_id")
		})
		restored(ctx, was)
	})

	It("puts back the label without which the Secret is not watched", func(ctx context.Context) {
		was := plane.Secret(ctx, orders)
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { delete(s.Labels, v1alpha1.LabelSecret) })
		restored(ctx, was)
	})

	DescribeTable("takes a Secret back that has lost what shows whose it is", func(ctx context.Context, strip func(*corev1.Secret)) {
		was := plane.Secret(ctx, orders)
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), strip)
		restored(ctx, was)
		Eventually(func() bool { return metav1.IsControlledBy(plane.Secret(ctx, orders), orders) }).Should(BeTrue())
		Expect(plane.Secret(ctx, orders).Annotations).To(Equal(was.Annotations))
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
	},
		Entry("its owner", func(s *corev1.Secret) { s.OwnerReferences = nil }),
		Entry("its owner and its annotations", func(s *corev1.Secret) { s.OwnerReferences, s.Annotations = nil, nil }),
		Entry("its owner and its labels", func(s *corev1.Secret) { s.OwnerReferences, s.Labels = nil, nil }),
		Entry("all of it", func(s *corev1.Secret) { s.OwnerReferences, s.Labels, s.Annotations = nil, nil, nil }),
	)

	It("leaves a copy of its Secret alone, whatever the copy says", func(ctx context.Context) {
		copied := plane.Secret(ctx, orders)
		copied.ObjectMeta = metav1.ObjectMeta{
			Namespace: copied.Namespace, Name: "copy", Labels: copied.Labels, Annotations: copied.Annotations, OwnerReferences: copied.OwnerReferences,
		}
		plane.Create(ctx, copied)
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
			c.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}}
			c.Spec.Scopes = []v1alpha1.Scope{"MCP"}
		})
		Eventually(func() string { return string(plane.Secret(ctx, orders).Data["scope"]) }).Should(Equal("MCP"))
		Consistently(func() string {
			Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(copied), copied)).To(Succeed())
			return string(copied.Data["scope"])
		}).WithTimeout(time.Second).Should(Equal("Webhook"))
	})

	It("rebuilds a status that was wiped, with the same secret", func(ctx context.Context) {
		orders.Status = v1alpha1.ClientCredentialStatus{}
		Expect(plane.API.Status().Update(ctx, orders)).To(Succeed())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
		Expect(orders.Status.Verifiers).To(HaveLen(1))
	})

	It("digests anew when the pepper was lost, with the same secret", func(ctx context.Context) {
		pepperID := orders.Status.Verifiers[0].PepperID
		pepper := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: v1alpha1.PepperSecretName}}
		Expect(plane.API.Delete(ctx, pepper)).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
			g.Expect(orders.Status.Verifiers).To(HaveLen(1))
			g.Expect(orders.Status.Verifiers[0].PepperID).NotTo(Equal(pepperID))
		}).Should(Succeed())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
	})

	It("leaves damaged key material alone: what it held may be in a backup", func(ctx context.Context) {
		keys := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}}
		var good map[string][]byte
		harness.Patch(ctx, plane, keys, func(s *corev1.Secret) {
			good = s.Data
			s.Data = map[string][]byte{"keys.json": []byte("{}")}
		})
		DeferCleanup(func(ctx context.Context) { harness.Patch(ctx, plane, keys, func(s *corev1.Secret) { s.Data = good }) })
		token := tokens.TakeToken(before)
		Consistently(func() []byte {
			Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(keys), keys)).To(Succeed())
			return keys.Data["keys.json"]
		}).WithTimeout(time.Second).Should(Equal([]byte("{}")))
		Expect(tokens.Verify(token, "scope=Webhook").Status).To(Equal(200), "the token service goes on with the keys it had")
	})
})

var _ = Describe("a Secret that is somebody else's", func() {
	var (
		name   string
		theirs *corev1.Secret
		orders *v1alpha1.ClientCredential
	)
	BeforeEach(func() {
		plane.StartManager(nil)
		name = fresh()
		orders = builder.ClientCredential(name, "orders", builder.ForAccount(name))
		theirs = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "orders"}, Data: map[string][]byte{"password": []byte("theirs")}}
	})

	DescribeTable("is never touched", func(ctx context.Context, disguise func(*corev1.Secret)) {
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		disguise(theirs)
		plane.Create(ctx, theirs, orders)
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSecretConflict)
		Expect(isCondition(orders, v1alpha1.ConditionStalled)).To(BeTrue())
		Expect(readyMessage(orders)).To(ContainSubstring("orders"), "the message names it")
		now := plane.Secret(ctx, orders)
		Expect(now.ResourceVersion).To(Equal(theirs.ResourceVersion))

		By("removing it, and asking for another look")
		Expect(plane.API.Delete(ctx, theirs)).To(Succeed())
		Eventually(func() string {
			lookAgain(ctx, orders) // more than once: the manager may still see the Secret that is gone
			return plane.Reason(ctx, orders)
		}).WithPolling(time.Second).Should(Equal(v1alpha1.ReasonIssued))
		plane.ExpectReady(ctx, orders)
	},
		Entry("as it is", func(*corev1.Secret) {}),
		Entry("even if it carries our label", func(s *corev1.Secret) {
			s.Labels = map[string]string{v1alpha1.LabelSecret: v1alpha1.PurposeClientCredential}
		}),
		Entry("even if another controller owns it", func(s *corev1.Secret) {
			s.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: name, UID: namespaceUID(name), Controller: new(true)}}
		}),
	)
})

// Whoever may write ClientCredentials in the operator's namespace must not get in the way of its keys.
var _ = DescribeTable("a Secret that is reserved for the operator's keys is refused", func(ctx context.Context, name string) {
	plane.StartManager(nil)
	credential := builder.ClientCredential(config.Namespace, name)
	plane.Create(ctx, credential)
	plane.ExpectReason(ctx, credential, v1alpha1.ReasonSecretConflict)
	Expect(readyMessage(credential)).To(ContainSubstring("reserved"))
	Expect(plane.API.Delete(ctx, credential)).To(Succeed())
},
	Entry(nil, v1alpha1.PepperSecretName), Entry(nil, v1alpha1.SigningKeysSecretName),
)

// lookAgain touches an object, so that the manager looks at it.
func lookAgain(ctx context.Context, orders *v1alpha1.ClientCredential) {
	GinkgoHelper()
	harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, "look", time.Now().String())
	})
}

// namespaceUID gives the UID of a namespace, which makes a valid owner: one that does not exist would be collected.
func namespaceUID(name string) types.UID {
	GinkgoHelper()
	ctx := context.Background()
	plane.Namespace(ctx, name, nil)
	namespace := &corev1.Namespace{}
	Expect(plane.API.Get(ctx, client.ObjectKey{Name: name}, namespace)).To(Succeed())
	return namespace.UID
}

// A policy stands for all that may refuse a write for long: a quota, a webhook, a missing right.
var _ = It("a Secret that cannot be replaced for a while costs nobody the old one", func(ctx context.Context) {
	plane.StartManager(nil)
	tokens := plane.StartTokenService()
	orders, before := readyOrders(ctx, tokens)
	name := orders.Namespace
	policy, binding := refuseSecrets(name)
	plane.Create(ctx, policy, binding)
	DeferCleanup(func(ctx context.Context) { _ = client.IgnoreNotFound(plane.API.Delete(ctx, binding)) })
	creating := func() error {
		return plane.API.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "probe"}}, client.DryRunAll)
	}
	Eventually(creating).ShouldNot(Succeed(), "the policy is in force")

	Expect(plane.API.Delete(ctx, plane.Secret(ctx, orders))).To(Succeed())
	plane.ExpectReason(ctx, orders, v1alpha1.ReasonWriteFailed)
	version := orders.ResourceVersion
	Expect(orders.Status.Verifiers).To(HaveLen(2), "a successor is prepared")
	Expect(orders.Status.Verifiers[1].ExpiresAt).To(BeNil(), "and the one that workloads hold has no end as long as there is no other")
	Consistently(func() string {
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
		return orders.ResourceVersion
	}).WithTimeout(3*time.Second).Should(Equal(version), "further attempts write nothing")
	Expect(tokens.Accepts(before)).To(BeTrue())

	Expect(plane.API.Delete(ctx, binding)).To(Succeed())
	Eventually(creating).Should(Succeed(), "the policy is gone")
	lookAgain(ctx, orders)
	Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	Eventually(tokens.Accepts).WithArguments(plane.ExpectReady(ctx, orders)).Should(BeTrue())
	Expect(tokens.Accepts(before)).To(BeTrue(), "for the overlap")
})

// refuseSecrets makes a policy that refuses every new Secret in a namespace.
func refuseSecrets(namespace string) (*admissionv1.ValidatingAdmissionPolicy, *admissionv1.ValidatingAdmissionPolicyBinding) {
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "refuse-secrets-" + namespace}}
	policy.Spec.FailurePolicy = new(admissionv1.Fail)
	policy.Spec.MatchConstraints = &admissionv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
		ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
		}}},
	}
	policy.Spec.Validations = []admissionv1.Validation{{Expression: "false", Message: "no Secrets today"}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: policy.Name}}
	binding.Spec.PolicyName = policy.Name
	binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Deny}
	return policy, binding
}
