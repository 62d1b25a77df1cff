// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// The manager dies at every single write of an operation, before the write arrives and after, and another takes over. The
// points are found by counting: an operation is run to its end once, and then once for each write it made.
var _ = DescribeTable("the manager dies, and nothing is lost", func(ctx context.Context, op operation) {
	keys := plane.StartManager(nil)
	tokens := plane.StartTokenService()
	Expect(keys.Stop()).To(Succeed())

	whole := &death{}
	survive(ctx, tokens, op, whole)
	Expect(whole.made()).To(BeNumerically(">", 0), "the operation makes writes")
	for at := 1; at <= whole.made(); at++ {
		for _, before := range []bool{true, false} {
			By(fmt.Sprintf("at write %d of %d, before it arrives: %v", at, whole.made(), before))
			survive(ctx, tokens, op, &death{atWrite: at, before: before})
		}
	}
	AddReportEntry("crash points", 2*whole.made())
},
	Entry("while it makes a Secret", operation{
		prepare: func(context.Context, *v1alpha1.ClientCredential) {},
		do:      func(ctx context.Context, orders *v1alpha1.ClientCredential) { plane.Create(ctx, orders) },
	}),
	Entry("while it replaces a Secret that was deleted", operation{
		prepare: createReady,
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			Expect(plane.API.Delete(ctx, plane.Secret(ctx, orders))).To(Succeed())
		},
	}),
	Entry("while it replaces a Secret that was edited", operation{
		prepare: createReady,
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Data["client_secret"] = []byte(edited) })
		},
	}),
	Entry("while it follows a change of scopes", operation{
		prepare: createReady,
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Scopes = []v1alpha1.Scope{"MCP"} })
		},
	}),
	Entry("while it rebuilds a status", operation{
		prepare: createReady,
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			orders.Status = v1alpha1.ClientCredentialStatus{}
			Expect(plane.API.Status().Update(ctx, orders)).To(Succeed())
		},
	}),
	Entry("while it rotates", operation{
		prepare: createReady,
		do: changes(func(c *v1alpha1.ClientCredential) {
			c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "now"}
			c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "now"}
		}),
		once: true,
	}),
	Entry("while it renames a Secret", operation{
		prepare: createReady,
		do:      changes(func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"} }),
	}),
	Entry("while it renames a Secret and rotates", operation{
		prepare: createReady,
		do: changes(func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"}
			c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "now"}
		}),
		once: true,
	}),
	Entry("while it renames a Secret, without an overlap", operation{
		prepare: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			orders.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}}
			createReady(ctx, orders)
		},
		do: changes(func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"} }),
	}),
	Entry("while it replaces a Secret by one of another type", operation{
		prepare: createReady,
		do: changes(func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Type: "example.com/oauth"}
		}),
	}),
	Entry("while it delivers a live token", operation{
		prepare: createReady,
		do:      changes(func(c *v1alpha1.ClientCredential) { c.Spec.AccessToken = &v1alpha1.AccessTokenDelivery{} }),
	}),
	Entry("while it makes a Secret that shall be retained", operation{
		prepare: func(context.Context, *v1alpha1.ClientCredential) {},
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			orders.Spec.DeletionPolicy = v1alpha1.DeletionRetain
			plane.Create(ctx, orders)
		},
	}),
)

// changes gives an operation that changes the spec.
func changes(how func(*v1alpha1.ClientCredential)) func(context.Context, *v1alpha1.ClientCredential) {
	return func(ctx context.Context, orders *v1alpha1.ClientCredential) {
		GinkgoHelper()
		harness.Patch(ctx, plane, orders, how)
	}
}

// A deletion writes nothing but what a Secret that stays behind says of itself, and that a second one of a former name goes.
var _ = It("the manager dies while a credential is deleted, and what stays behind says so", func(ctx context.Context) {
	keys := plane.StartManager(nil)
	tokens := plane.StartTokenService()
	Expect(keys.Stop()).To(Succeed())
	whole := &death{}
	surviveDeletion(ctx, tokens, whole)
	// A cache that is behind may have the deletion repeated, which finds nothing.
	Expect(whole.made()).To(BeNumerically(">=", 2), "one Secret says so, one goes")
	for at := 1; at <= whole.made(); at++ {
		for _, before := range []bool{true, false} {
			By(fmt.Sprintf("at write %d of %d, before it arrives: %v", at, whole.made(), before))
			surviveDeletion(ctx, tokens, &death{atWrite: at, before: before})
		}
	}
})

func surviveDeletion(ctx context.Context, tokens *harness.TokenService, dying *death) {
	GinkgoHelper()
	name := fresh()
	dying.name = name
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	orders.Spec.DeletionPolicy = v1alpha1.DeletionRetain
	orders.Spec.AccessToken = &v1alpha1.AccessTokenDelivery{}
	account := builder.Account(name, builder.Namespaces(name))
	living := plane.StartManager(nil)
	plane.Create(ctx, account, orders)
	Eventually(conditions).WithArguments(ctx, account).ShouldNot(BeEmpty())
	given := plane.ExpectReady(ctx, orders)
	harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"} })
	Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	Eventually(tokens.Accepts).WithArguments(given).Should(BeTrue())
	Expect(living.Stop()).To(Succeed())

	left := func() []string {
		var secrets corev1.SecretList
		Expect(plane.API.List(ctx, &secrets, client.InNamespace(name), client.HasLabels{v1alpha1.LabelSecret})).To(Succeed())
		var said []string
		for i := range secrets.Items {
			_, retained := secrets.Items[i].Annotations[v1alpha1.AnnotationRetained]
			said = append(said, fmt.Sprintf("%s says so: %v", secrets.Items[i].Name, retained))
		}
		return said
	}
	want := ConsistOf("renamed says so: true")
	first := plane.StartManager(dying.wrap)
	Expect(plane.API.Delete(ctx, orders)).To(Succeed())
	harness.ExpectPromptly(func() bool { return tokens.Accepts(given) }, false)
	Eventually(func() bool { matches, _ := want.Match(left()); return matches || dying.died() }).Should(BeTrue())
	_ = first.Stop()
	second := plane.StartManager(nil)
	Eventually(left).Should(want)
	Expect(second.Stop()).To(Succeed())
	Expect(left()).To(want, "and so it stays")
}

// edited is a client secret that somebody chose.
const edited = "edited"

type operation struct {
	// prepare runs under a manager that lives; do starts what the dying one is to finish.
	prepare, do func(context.Context, *v1alpha1.ClientCredential)
	// once says that exactly one new secret must come of it.
	once bool
}

// survive runs an operation under a manager that dies as told, lets another finish, and checks what must hold.
func survive(ctx context.Context, tokens *harness.TokenService, op operation, dying *death) {
	GinkgoHelper()
	name := fresh()
	dying.name = name
	account, orders := builder.Account(name, builder.Namespaces(name)), builder.ClientCredential(name, "orders", builder.ForAccount(name))
	living := plane.StartManager(nil)
	plane.Create(ctx, account)
	op.prepare(ctx, orders)
	Eventually(conditions).WithArguments(ctx, account).ShouldNot(BeEmpty())
	given := mounted(ctx, orders)
	Expect(living.Stop()).To(Succeed())

	first := plane.StartManager(dying.wrap)
	op.do(ctx, orders)
	Eventually(func() bool { return dying.died() || settled(ctx, orders) }).Should(BeTrue())
	_ = first.Stop() // a dead process has nothing to say
	if len(given) > 0 && hasVerifiers(ctx, orders) {
		Eventually(tokens.Accepts).WithArguments(given[0]).Should(BeTrue(), "also while no manager runs")
	}
	given = append(given, mounted(ctx, orders)...)

	second := plane.StartManager(nil)
	Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	all := slices.Concat(given, []harness.Credentials{plane.ExpectReady(ctx, orders)})
	if op.once {
		Expect(sets.New(all...)).To(HaveLen(2), "the old secret and one new one")
		Expect(all[len(all)-1]).NotTo(Equal(all[0]))
	}
	for _, credentials := range all {
		Expect(credentials.ID).To(Equal(name+".orders"), "never a second client ID")
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue(), "every secret that was ever given works")
	}
	expectNoOrphans(ctx, name)
	Expect(second.Stop()).To(Succeed())
}

func createReady(ctx context.Context, orders *v1alpha1.ClientCredential) {
	GinkgoHelper()
	plane.Create(ctx, orders)
	plane.ExpectReady(ctx, orders)
}

// settled reports whether the credential is Ready and its Secrets are what they should be.
func settled(ctx context.Context, orders *v1alpha1.ClientCredential) bool {
	current, secret := &v1alpha1.ClientCredential{}, &corev1.Secret{}
	key := client.ObjectKeyFromObject(orders)
	if plane.API.Get(ctx, key, current) != nil || current.Status.Binding == nil {
		return false
	}
	if template := current.Spec.SecretTemplate; template != nil && template.Name != "" {
		key.Name = template.Name
	}
	if current.Status.Binding.Name != key.Name || plane.API.Get(ctx, key, secret) != nil {
		return false
	}
	if rotation := current.Spec.Rotation; rotation != nil && current.Status.Rotation.Trigger != rotation.Trigger {
		return false
	}
	return plane.Reason(ctx, orders) == v1alpha1.ReasonIssued && current.Status.Rotation.Request == current.Annotations[v1alpha1.AnnotationRotate] &&
		len(current.Status.Verifiers) > 0 && current.Status.Verifiers[0].PublishedAt != nil &&
		string(secret.Data["client_secret"]) != edited && string(secret.Data["scope"]) == string(current.Spec.Scopes[0]) &&
		(current.Spec.AccessToken == nil) == (current.Status.AccessToken == nil)
}

func hasVerifiers(ctx context.Context, orders *v1alpha1.ClientCredential) bool {
	GinkgoHelper()
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
	return len(orders.Status.Verifiers) > 0
}

// mounted gives what workloads could have mounted now: what any Secret of ours holds.
func mounted(ctx context.Context, orders *v1alpha1.ClientCredential) []harness.Credentials {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(plane.API.List(ctx, &secrets, client.InNamespace(orders.Namespace),
		client.MatchingLabels{v1alpha1.LabelSecret: v1alpha1.PurposeClientCredential})).To(Succeed())
	var all []harness.Credentials
	for i := range secrets.Items {
		data := secrets.Items[i].Data
		if secret := string(data["client_secret"]); secret != edited {
			plane.Ledger.Add(secret)
			all = append(all, harness.Credentials{ID: string(data["client_id"]), Secret: secret})
		}
	}
	return all
}

func conditions(ctx context.Context, account *v1alpha1.Account) []metav1.Condition {
	_ = plane.API.Get(ctx, client.ObjectKeyFromObject(account), account)
	return account.Status.Conditions
}

// expectNoOrphans: every Secret of ours belongs to an object that exists, and is one that it wants, or one of a former name that
// says when it goes.
func expectNoOrphans(ctx context.Context, namespace string) {
	GinkgoHelper()
	var secrets corev1.SecretList
	var credentials v1alpha1.ClientCredentialList
	Expect(plane.API.List(ctx, &secrets, client.InNamespace(namespace), client.HasLabels{v1alpha1.LabelSecret})).To(Succeed())
	Expect(plane.API.List(ctx, &credentials, client.InNamespace(namespace))).To(Succeed())
	wanted := map[string]string{}
	for i := range credentials.Items {
		credential := &credentials.Items[i]
		owner := "ClientCredential/" + credential.Name + "/" + string(credential.UID) + "/"
		want := func(secret string) { wanted[secret] = owner + secret }
		want(credential.Status.Binding.Name)
		if credential.Status.AccessToken != nil {
			want(credential.Status.AccessToken.Name)
		}
		for j := range secrets.Items {
			if _, leaves := secrets.Items[j].Annotations[v1alpha1.AnnotationRemoveAfter]; leaves {
				want(secrets.Items[j].Name)
			}
		}
	}
	found := map[string]string{}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		found[secret.Name] = secret.Annotations[v1alpha1.AnnotationOwner]
		if owner := metav1.GetControllerOf(secret); owner != nil {
			Expect(owner.Kind + "/" + owner.Name + "/" + string(owner.UID) + "/" + secret.Name).To(Equal(found[secret.Name]))
		}
	}
	Expect(found).To(Equal(wanted))
}
