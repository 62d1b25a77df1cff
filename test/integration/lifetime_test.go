// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// What the status shows is what the token endpoint gives.
var _ = DescribeTable("the lifetime of a token", func(ctx context.Context, asked, byDefault, most, operator, want int32) {
	plane.StartManagerWith(func(o *app.ManagerOptions) { o.MaxTokenExpiryMinutes = operator })
	tokens := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.MaxTokenExpiryMinutes = operator })
	name := fresh()
	account := builder.Account(name, builder.Namespaces(name))
	account.Spec.DefaultTokenExpiryMinutes, account.Spec.MaxTokenExpiryMinutes = byDefault, most
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name), builder.TokenMinutes(asked))
	plane.Create(ctx, account, orders)
	credentials := plane.ExpectReady(ctx, orders)
	Expect(orders.Status.TokenExpiryMinutes).To(Equal(want))
	Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
	_, token := tokens.PostToken(credentials.Form())
	Expect(token.ExpiresIn).To(Equal(int(want) * 60))
	Expect(strings.Contains(allowedMessage(orders), "maximum")).To(Equal(asked > want), "the status says where it is cut short")
},
	Entry("is 14 days where nobody says anything", int32(0), int32(0), int32(0), int32(0), int32(20160)),
	Entry("is what the credential names", int32(60), int32(0), int32(0), int32(0), int32(60)),
	Entry("is the account's default", int32(0), int32(30), int32(0), int32(0), int32(30)),
	Entry("is the credential's before the account's default", int32(60), int32(30), int32(0), int32(0), int32(60)),
	Entry("is at most the account's maximum", int32(60), int32(0), int32(45), int32(0), int32(45)),
	Entry("is at most the account's maximum where nobody says anything else", int32(0), int32(0), int32(45), int32(0), int32(45)),
	Entry("is at most the operator's maximum", int32(60), int32(50), int32(55), int32(40), int32(40)),
)

var _ = It("a change of the account's lifetimes applies to the next token", func(ctx context.Context) {
	plane.StartManager(nil)
	tokens := plane.StartTokenService()
	orders, credentials := readyOrders(ctx, tokens)
	account := builder.Account(orders.Namespace)
	harness.Patch(ctx, plane, account, func(a *v1alpha1.Account) { a.Spec.MaxTokenExpiryMinutes = 5 })
	Eventually(func() int {
		_, token := tokens.PostToken(credentials.Form())
		return token.ExpiresIn
	}).Should(Equal(300))
	Eventually(func() int32 { plane.ExpectReady(ctx, orders); return orders.Status.TokenExpiryMinutes }).Should(Equal(int32(5)))
})

func allowedMessage(credential *v1alpha1.ClientCredential) string {
	for _, condition := range credential.Status.Conditions {
		if condition.Type == v1alpha1.ConditionAllowed {
			return condition.Message
		}
	}
	return ""
}
