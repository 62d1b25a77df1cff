// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
)

var _ = DescribeTable("admission refuses, with a message that says what to do", func(ctx context.Context, object client.Object, message string) {
	if object.GetNamespace() != "" {
		plane.Namespace(ctx, object.GetNamespace(), nil)
	}
	err := plane.API.Create(ctx, object, client.DryRunAll)
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
	Expect(err.Error()).To(ContainSubstring(message))
},
	Entry("an account-level scope without an account", builder.ClientCredential("admission", "a", builder.WithScopes("Webhook")),
		"without accountRef the credential is console-level: its only scope is API"),
	Entry("a console-level scope with an account", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("API")),
		"scope API is for console-level credentials, which have no accountRef"),
	Entry("both levels at once", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("Webhook", "API")),
		"scope API is for console-level credentials"),
	Entry("no scope", builder.ClientCredential("admission", "a", builder.WithScopes([]v1alpha1.Scope{}...)), "spec.scopes"),
	Entry("a scope twice", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("MCP", "MCP")), "Duplicate value"),
	Entry("a scope with a blank", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("a b")), "spec.scopes[0]"),
	Entry("a restriction as a scope", builder.ClientCredential("admission", "a", builder.ForAccount("x"), builder.WithScopes("account:x")),
		"scopes that begin with account: are asked for at the token endpoint, not granted here"),
	Entry("a lifetime below a minute", builder.ClientCredential("admission", "a", builder.TokenMinutes(-1)), "spec.tokenExpiryMinutes"),
	Entry("a lifetime above a year", builder.ClientCredential("admission", "a", builder.TokenMinutes(525601)), "spec.tokenExpiryMinutes"),
	Entry("an account name that no Account can have", builder.ClientCredential("admission", "a", builder.ForAccount("Not A Name")), "spec.accountRef.name"),
	Entry("a description of 1025 characters", described(strings.Repeat("x", 1025)), "spec.description"),
	Entry("an Account that adds a built-in scope", builder.Account("admission", builder.Scopes("MCP")), "Webhook, MCP and API are built in"),
	Entry("an Account that adds a restriction", builder.Account("admission", builder.Scopes("account:x")), "cannot be added"),
	Entry("a namespace name that no Namespace can have", builder.Account("admission", builder.Namespaces("Not A Name")), "spec.namespaces.names[0]"),
)

func described(text string) *v1alpha1.ClientCredential {
	credential := builder.ClientCredential("admission", "a")
	credential.Spec.Description = text
	return credential
}

var _ = It("the API server fills in the lifetime of 14 days", func(ctx context.Context) {
	credential := builder.ClientCredential("admission", "a")
	plane.Namespace(ctx, "admission", nil)
	Expect(plane.API.Create(ctx, credential, client.DryRunAll)).To(Succeed())
	Expect(credential.Spec.TokenExpiryMinutes).To(Equal(int32(20160)))
})

// Without it kstatus, which Flux and Argo CD go by, takes an object that nobody has looked at for one that is current.
var _ = It("an object that no manager has seen says so", func(ctx context.Context) {
	credential, account := builder.ClientCredential("admission", "a"), builder.Account("admission")
	plane.Namespace(ctx, "admission", nil)
	Expect(plane.API.Create(ctx, credential, client.DryRunAll)).To(Succeed())
	Expect(plane.API.Create(ctx, account, client.DryRunAll)).To(Succeed())
	Expect(credential.Status.ObservedGeneration).To(Equal(int64(-1)))
	Expect(account.Status.ObservedGeneration).To(Equal(int64(-1)))
})
