// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("a protected resource", func() {
	var (
		tokens *harness.TokenService
		name   string
		tools  *v1alpha1.ProtectedResource
	)
	BeforeEach(func(ctx context.Context) {
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		name = fresh()
		tools = builder.ProtectedResource(name, "tools", "https://mcp."+name+".example/mcp", builder.OfAccount(name), builder.OfType(v1alpha1.ResourceMCP))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), tools)
	})

	// readiness gives the reason of Ready, for the object's current generation.
	readiness := func(ctx context.Context, object *v1alpha1.ProtectedResource) string {
		current := &v1alpha1.ProtectedResource{}
		if plane.API.Get(ctx, client.ObjectKeyFromObject(object), current) != nil || current.Status.ObservedGeneration != current.Generation {
			return ""
		}
		if ready := meta.FindStatusCondition(current.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			return ready.Reason
		}
		return ""
	}
	callers := func(ctx context.Context) int {
		current := &v1alpha1.ProtectedResource{}
		if plane.API.Get(ctx, client.ObjectKeyFromObject(tools), current) != nil || current.Status.Callers == nil {
			return -1
		}
		return int(*current.Status.Callers)
	}
	agent := func(ctx context.Context, name, called string) harness.Credentials {
		GinkgoHelper()
		caller := builder.ClientCredential(name, called, builder.ForAccount(name), builder.WithScopes(v1alpha1.ScopeMCP))
		plane.Create(ctx, caller)
		return plane.ExpectReady(ctx, caller)
	}

	It("says who may call it, as credentials come and go", func(ctx context.Context) {
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonRegistered))
		Eventually(callers).WithArguments(ctx).Should(Equal(0))
		agent(ctx, name, "first")
		second := builder.ClientCredential(name, "second", builder.ForAccount(name), builder.WithScopes(v1alpha1.ScopeMCP))
		plane.Create(ctx, second, builder.ClientCredential(name, "hooks", builder.ForAccount(name)))
		Eventually(callers).WithArguments(ctx).Should(Equal(2))
		harness.Patch(ctx, plane, second, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
		Eventually(callers).WithArguments(ctx).Should(Equal(1))
		Expect(plane.API.Delete(ctx, second)).To(Succeed())
		Consistently(callers).WithArguments(ctx).WithTimeout(3 * time.Second).Should(Equal(1))
	})

	It("gives gateways and validators what they are configured with", func(ctx context.Context) {
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonRegistered))
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(tools), tools)).To(Succeed())
		url := string(tools.Spec.URL)
		Expect(tools.Status.Audiences).To(Equal([]string{url, harness.Issuer}))
		token := tokens.TakeToken(agent(ctx, name, "agent"), "resource", url)
		verdict := func() int { return tokens.Verify(token, tools.Status.VerifyQuery).Status }
		Expect(verdict()).To(Equal(http.StatusOK))

		Expect(plane.API.Delete(ctx, tools)).To(Succeed())
		harness.ExpectPromptly(verdict, http.StatusForbidden)
	})

	It("has its URL to itself, and passes it on when it goes", func(ctx context.Context) {
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonRegistered))
		waitForNextSecond()
		rival := builder.ProtectedResource(name, "rival", string(tools.Spec.URL), builder.OfAccount(name), builder.OfType(v1alpha1.ResourceMCP))
		plane.Create(ctx, rival)
		Eventually(readiness).WithArguments(ctx, rival).Should(Equal(v1alpha1.ReasonResourceConflict))
		Expect(plane.API.Delete(ctx, tools)).To(Succeed())
		Eventually(readiness).WithArguments(ctx, rival).Should(Equal(v1alpha1.ReasonRegistered))
	})

	It("follows its account and its namespace, and heals a status that was wiped", func(ctx context.Context) {
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonRegistered))
		account := builder.Account(name)
		harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) { a.Spec.Suspend = true })
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonAccountSuspended))
		harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) { a.Spec.Suspend, a.Spec.Namespaces.Names = false, nil })
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonNamespaceNotAllowed))
		harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) { a.Spec.Namespaces.Names = []string{name} })
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonRegistered))

		wiped := &v1alpha1.ProtectedResource{}
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(tools), wiped)).To(Succeed())
		before := wiped.DeepCopy()
		wiped.Status = v1alpha1.ProtectedResourceStatus{ObservedGeneration: -1}
		Expect(plane.API.Status().Patch(ctx, wiped, client.MergeFrom(before))).To(Succeed())
		Eventually(readiness).WithArguments(ctx, tools).Should(Equal(v1alpha1.ReasonRegistered))
	})
})
