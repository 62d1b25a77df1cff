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
// points are found by counting: an operation is run to its end once, and then once for each write it made. These go side by side, each
// with a credential of its own, for which alone the manager is dead.
var _ = DescribeTable("the manager dies, and nothing is lost", func(ctx context.Context, op operation) {
	keys := plane.StartManager(nil)
	tokens := plane.StartTokenService()
	Expect(keys.Stop()).To(Succeed())

	whole := &death{}
	survive(ctx, tokens, op, whole)
	Expect(whole.made()).To(BeNumerically(">", 0), "the operation makes writes")
	deaths := deathsAt(whole.made())
	survive(ctx, tokens, op, deaths...)
	expectDeaths(deaths)
},
	Entry("while it makes a Secret", operation{
		creates: true,
		do:      func(ctx context.Context, orders *v1alpha1.ClientCredential) { plane.Create(ctx, orders) },
	}),
	Entry("while it replaces a Secret that was deleted", operation{
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			Expect(plane.API.Delete(ctx, plane.Secret(ctx, orders))).To(Succeed())
		},
	}),
	Entry("while it replaces a Secret that was edited", operation{
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Data["client_secret"] = []byte(edited) })
		},
	}),
	Entry("while it follows a change of scopes", operation{
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Scopes = []v1alpha1.Scope{"MCP"} })
		},
	}),
	Entry("while it rebuilds a status", operation{
		do: func(ctx context.Context, orders *v1alpha1.ClientCredential) {
			orders.Status = v1alpha1.ClientCredentialStatus{}
			Expect(plane.API.Status().Update(ctx, orders)).To(Succeed())
		},
	}),
	Entry("while it rotates", operation{
		do: changes(func(c *v1alpha1.ClientCredential) {
			c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "now"}
			c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "now"}
		}),
		once: true,
	}),
	Entry("while it renames a Secret", operation{
		do: changes(func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"} }),
	}),
	Entry("while it renames a Secret and rotates", operation{
		do: changes(func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"}
			c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "now"}
		}),
		once: true,
	}),
	Entry("while it renames a Secret, without an overlap", operation{
		before: func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{}} },
		do:     changes(func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"} }),
	}),
	Entry("while it replaces a Secret by one of another type", operation{
		do: changes(func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Type: "example.com/oauth"}
		}),
	}),
	Entry("while it delivers a live token", operation{
		do: changes(func(c *v1alpha1.ClientCredential) { c.Spec.AccessToken = &v1alpha1.AccessTokenDelivery{} }),
	}),
	Entry("while it makes a Secret that shall be retained", operation{
		creates: true,
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
	deaths := deathsAt(whole.made())
	surviveDeletion(ctx, tokens, deaths...)
	expectDeaths(deaths)
})

// expectDeaths: an operation makes one write at least, so the manager died at its first, both before it arrived and after. A later one may
// have been a repetition, which is not always needed.
func expectDeaths(deaths []*death) {
	GinkgoHelper()
	died := 0
	for _, each := range deaths {
		Expect(each.died() || each.atWrite > 1).To(BeTrue(), each.String())
		if each.died() {
			died++
		}
	}
	AddReportEntry("crash points", fmt.Sprintf("%d, at %d of them the manager died", len(deaths), died))
}

// edited is a client secret that somebody chose.
const edited = "edited"

type operation struct {
	// before changes the credential that is there before; creates says that there is none.
	before  func(*v1alpha1.ClientCredential)
	creates bool
	// do starts, under a manager that dies, what another is to finish.
	do func(context.Context, *v1alpha1.ClientCredential)
	// once says that exactly one new secret must come of it.
	once bool
}

// mortal is a credential, in a namespace of its own, whose manager dies.
type mortal struct {
	account *v1alpha1.Account
	orders  *v1alpha1.ClientCredential
	dying   *death
	// given is what workloads could have mounted so far.
	given []harness.Credentials
}

// mortals gives each death a credential, which is yet to be created, of an account that is.
func mortals(ctx context.Context, deaths []*death) []*mortal {
	GinkgoHelper()
	all := make([]*mortal, len(deaths))
	for i, dying := range deaths {
		name := fresh()
		dying.name, dying.alone = name, true
		all[i] = &mortal{
			account: builder.Account(name, builder.Namespaces(name)), orders: builder.ClientCredential(name, "orders", builder.ForAccount(name)), dying: dying,
		}
		plane.Create(ctx, all[i].account)
	}
	return all
}

// survive runs an operation for each death under a manager that dies as told, lets another finish, and checks what must hold.
func survive(ctx context.Context, tokens *harness.TokenService, op operation, deaths ...*death) {
	GinkgoHelper()
	living := plane.StartManager(nil)
	all := mortals(ctx, deaths)
	if !op.creates {
		create(ctx, all, op.before)
	}
	for _, m := range all {
		Eventually(conditions).WithArguments(ctx, m.account).ShouldNot(BeEmpty())
		m.given = mounted(ctx, m.orders)
	}
	Expect(living.Stop()).To(Succeed())

	first := plane.StartManager(wrapAll(deaths))
	for _, m := range all {
		op.do(ctx, m.orders)
	}
	for _, m := range all {
		Eventually(func() bool { return m.dying.died() || settled(ctx, m.orders) }).Should(BeTrue(), m.dying.String())
	}
	_ = first.Stop() // a dead process has nothing to say
	for _, m := range all {
		if len(m.given) > 0 && hasVerifiers(ctx, m.orders) {
			Eventually(tokens.Accepts).WithArguments(m.given[0]).Should(BeTrue(), "also while no manager runs: %s", m.dying)
		}
		m.given = append(m.given, mounted(ctx, m.orders)...)
	}

	second := plane.StartManager(nil)
	for _, m := range all {
		m.expectNothingLost(ctx, tokens, op.once)
	}
	Expect(second.Stop()).To(Succeed())
}

// expectNothingLost: the credential comes to be Ready, and every secret that workloads could have mounted works.
func (m *mortal) expectNothingLost(ctx context.Context, tokens *harness.TokenService, once bool) {
	GinkgoHelper()
	Eventually(settled).WithArguments(ctx, m.orders).Should(BeTrue(), m.dying.String())
	all := slices.Concat(m.given, []harness.Credentials{plane.ExpectReady(ctx, m.orders)})
	if once {
		Expect(sets.New(all...)).To(HaveLen(2), "the old secret and one new one: %s", m.dying)
		Expect(all[len(all)-1]).NotTo(Equal(all[0]), m.dying.String())
	}
	for _, credentials := range all {
		Expect(credentials.ID).To(Equal(m.orders.Namespace+".orders"), "never a second client ID: %s", m.dying)
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue(), "every secret that was ever given works: %s", m.dying)
	}
	expectNoOrphans(ctx, m.orders.Namespace)
}

// surviveDeletion deletes a credential for each death under a manager that dies as told, lets another finish, and looks at what is left.
func surviveDeletion(ctx context.Context, tokens *harness.TokenService, deaths ...*death) {
	GinkgoHelper()
	living := plane.StartManager(nil)
	all := mortals(ctx, deaths)
	create(ctx, all, func(c *v1alpha1.ClientCredential) {
		c.Spec.DeletionPolicy = v1alpha1.DeletionRetain
		c.Spec.AccessToken = &v1alpha1.AccessTokenDelivery{}
	})
	for _, m := range all {
		m.given = mounted(ctx, m.orders)
		changes(func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "renamed"} })(ctx, m.orders)
	}
	for _, m := range all {
		Eventually(settled).WithArguments(ctx, m.orders).Should(BeTrue())
		Eventually(tokens.Accepts).WithArguments(m.given[0]).Should(BeTrue())
	}
	Expect(living.Stop()).To(Succeed())

	first := plane.StartManager(wrapAll(deaths))
	for _, m := range all {
		Expect(plane.API.Delete(ctx, m.orders)).To(Succeed())
	}
	for _, m := range all {
		harness.ExpectPromptly(func() bool { return tokens.Accepts(m.given[0]) }, false)
		Eventually(func() bool { return m.dying.died() || retainedAlone(ctx, m) }).Should(BeTrue(), m.dying.String())
	}
	_ = first.Stop()
	second := plane.StartManager(nil)
	for _, m := range all {
		Eventually(retainedAlone).WithArguments(ctx, m).Should(BeTrue(), m.dying.String())
	}
	Expect(second.Stop()).To(Succeed())
	for _, m := range all {
		Expect(retainedAlone(ctx, m)).To(BeTrue(), "and so it stays: %s", m.dying)
	}
}

// retainedAlone reports whether nothing is left of a credential but the Secret that is retained, which says so.
func retainedAlone(ctx context.Context, m *mortal) bool {
	var secrets corev1.SecretList
	if plane.API.List(ctx, &secrets, client.InNamespace(m.orders.Namespace), client.HasLabels{v1alpha1.LabelSecret}) != nil || len(secrets.Items) != 1 {
		return false
	}
	_, retained := secrets.Items[0].Annotations[v1alpha1.AnnotationRetained]
	return retained && secrets.Items[0].Name == "renamed"
}

// create creates the credentials, changed first where there is a change, and waits until all are Ready.
func create(ctx context.Context, all []*mortal, change func(*v1alpha1.ClientCredential)) {
	GinkgoHelper()
	for _, m := range all {
		if change != nil {
			change(m.orders)
		}
		plane.Create(ctx, m.orders)
	}
	for _, m := range all {
		plane.ExpectReady(ctx, m.orders)
	}
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
