// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
)

// edited is a client secret that somebody chose.
const edited = "edited"

type operation struct {
	// prepare runs under a manager that lives; do starts what the dying one is to finish.
	prepare, do func(context.Context, *v1alpha1.ClientCredential)
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
	for _, credentials := range append(given, plane.ExpectReady(ctx, orders)) {
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

// settled reports whether the credential is Ready and its Secret is what it should be.
func settled(ctx context.Context, orders *v1alpha1.ClientCredential) bool {
	current, secret := &v1alpha1.ClientCredential{}, &corev1.Secret{}
	if plane.API.Get(ctx, client.ObjectKeyFromObject(orders), current) != nil ||
		plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret) != nil {
		return false
	}
	return plane.Reason(ctx, orders) == v1alpha1.ReasonIssued &&
		len(current.Status.Verifiers) > 0 && current.Status.Verifiers[0].PublishedAt != nil &&
		string(secret.Data["client_secret"]) != edited && string(secret.Data["scope"]) == string(current.Spec.Scopes[0])
}

func hasVerifiers(ctx context.Context, orders *v1alpha1.ClientCredential) bool {
	GinkgoHelper()
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
	return len(orders.Status.Verifiers) > 0
}

// mounted gives what a workload could have mounted now.
func mounted(ctx context.Context, orders *v1alpha1.ClientCredential) []harness.Credentials {
	secret := &corev1.Secret{}
	err := plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret)
	if err != nil || string(secret.Data["client_secret"]) == edited {
		return nil
	}
	return []harness.Credentials{plane.Credentials(ctx, orders)}
}

func conditions(ctx context.Context, account *v1alpha1.Account) []metav1.Condition {
	_ = plane.API.Get(ctx, client.ObjectKeyFromObject(account), account)
	return account.Status.Conditions
}

// expectNoOrphans: every Secret of ours has an owner that exists, and there is one for each credential.
func expectNoOrphans(ctx context.Context, namespace string) {
	GinkgoHelper()
	var secrets corev1.SecretList
	var credentials v1alpha1.ClientCredentialList
	Expect(plane.API.List(ctx, &secrets, client.InNamespace(namespace), client.HasLabels{v1alpha1.LabelSecret})).To(Succeed())
	Expect(plane.API.List(ctx, &credentials, client.InNamespace(namespace))).To(Succeed())
	owners := map[any]bool{}
	for i := range credentials.Items {
		owners[credentials.Items[i].UID] = true
	}
	Expect(secrets.Items).To(HaveLen(len(credentials.Items)))
	for i := range secrets.Items {
		owner := metav1.GetControllerOf(&secrets.Items[i])
		Expect(owner).NotTo(BeNil())
		Expect(owners[owner.UID]).To(BeTrue())
	}
}
