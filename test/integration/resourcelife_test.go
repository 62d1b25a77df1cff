// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("tokens for a ProtectedResource", func() {
	var (
		tokens *harness.TokenService
		name   string
		url    string
	)
	BeforeEach(func() {
		plane.StartManager(nil)
		tokens = plane.StartTokenService()
		name = fresh()
		url = "https://" + name + ".example/mcp"
	})
	tools := func(namespace, object string, options ...builder.ResourceOption) *v1alpha1.ProtectedResource {
		return builder.ProtectedResource(namespace, object, url, append([]builder.ResourceOption{builder.OfAccount(namespace), builder.OfType("MCP")}, options...)...)
	}
	agent := func(object string, options ...builder.CredentialOption) *v1alpha1.ClientCredential {
		return builder.ClientCredential(name, object, append([]builder.CredentialOption{builder.ForAccount(name), builder.WithScopes("MCP")}, options...)...)
	}
	reason := func(ctx context.Context, resource *v1alpha1.ProtectedResource) string {
		if err := plane.API.Get(ctx, client.ObjectKeyFromObject(resource), resource); err != nil {
			return err.Error()
		}
		ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || ready.ObservedGeneration != resource.Generation {
			return ""
		}
		return ready.Reason
	}

	It("are admitted the place is closed or gone, and a second more", func(ctx context.Context) {
		resource, caller := tools(name, "tools", builder.RequiringAudience()), agent("agent")
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), resource, caller)
		credentials := plane.ExpectReady(ctx, caller)
		var token string
		Eventually(func() string {
			_, answer := tokens.PostToken(credentials.Form("resource", url))
			token = answer.AccessToken
			return token
		}).ShouldNot(BeEmpty())
		verdict := func() int { return tokens.Verify(token, "resource="+name+"/tools").Status }
		Expect(verdict()).To(Equal(http.StatusOK))
		harness.Patch(ctx, plane, resource, func(r *v1alpha1.ProtectedResource) { r.Spec.Suspend = true })
		harness.ExpectPromptly(verdict, http.StatusForbidden)
		Eventually(reason).WithArguments(ctx, resource).Should(Equal(v1alpha1.ReasonSuspended))
		harness.Patch(ctx, plane, resource, func(r *v1alpha1.ProtectedResource) { r.Spec.Suspend = false })
		Eventually(verdict).Should(Equal(http.StatusOK))
		Expect(plane.API.Delete(ctx, resource)).To(Succeed())
		harness.ExpectPromptly(verdict, http.StatusForbidden)
		_, answer := tokens.PostToken(credentials.Form("resource", url))
		Expect(answer.Error).To(Equal("invalid_target"))
	})

	It("are missed by a credential that names it, until it comes", func(ctx context.Context) {
		caller := agent("agent", builder.ForResources(v1alpha1.ResourceURL(url)))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), caller)
		plane.ExpectReason(ctx, caller, v1alpha1.ReasonResourceNotFound)
		resource := tools(name, "tools")
		plane.Create(ctx, resource)
		plane.ExpectReady(ctx, caller)
		harness.Patch(ctx, plane, resource, func(r *v1alpha1.ProtectedResource) { r.Spec.Suspend = true })
		plane.ExpectReason(ctx, caller, v1alpha1.ReasonResourceNotAllowed)
	})
})
