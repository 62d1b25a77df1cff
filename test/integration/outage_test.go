// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("the API server", func() {
	AfterEach(func(ctx context.Context) { Expect(plane.StartAPIServer(context.WithoutCancel(ctx))).To(Succeed()) })

	It("is away, and tokens are issued and verified all the same", func(ctx context.Context) {
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		orders, credentials := readyOrders(ctx, tokens)
		name := orders.Namespace
		before := tokens.TakeToken(credentials)

		plane.StopAPIServer()
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).NotTo(Succeed(), "it is away")
		for _, token := range []string{before, tokens.TakeToken(credentials)} {
			Expect(tokens.Verify(token, "scope=Webhook&account="+name).Status).To(Equal(http.StatusOK))
			Expect(tokens.Verify(token, "scope=MCP&account="+name).Status).To(Equal(http.StatusForbidden))
		}
		Expect(tokens.Accepts(harness.Credentials{ID: credentials.ID, Secret: "wrong"})).To(BeFalse())
		Expect(tokens.Ready()).To(BeTrue(), "an outage of the API server must not take the token service out of its Service")

		By("coming back")
		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
		Eventually(tokens.Accepts).WithArguments(credentials).Should(BeFalse(), "changes are seen again")
	})

	It("is killed during a burst of 200 creations, and nothing is lost", func(ctx context.Context) {
		const total, writers = 200, 8
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		name := fresh()
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		plane.Namespace(ctx, name, nil)

		var orders [total]*v1alpha1.ClientCredential
		for i := range orders {
			orders[i] = builder.ClientCredential(name, fmt.Sprintf("client-%d", i), builder.ForAccount(name))
		}
		halfway := make(chan struct{})
		reached := sync.OnceFunc(func() { close(halfway) })
		var creators sync.WaitGroup
		for writer := range writers {
			creators.Go(func() {
				defer GinkgoRecover()
				defer reached() // also where it fails before
				for i := writer; i < total; i += writers {
					if i == total/2 {
						reached()
					}
					createThroughOutage(ctx, orders[i])
				}
			})
		}
		<-halfway
		plane.KillAPIServer()
		Expect(plane.API.List(ctx, &v1alpha1.AccountList{})).NotTo(Succeed(), "it is dead")
		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		creators.Wait()

		secrets := map[string]bool{}
		for _, credential := range orders {
			credentials := plane.ExpectReady(ctx, credential)
			Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue(), credentials.ID)
			secrets[credentials.Secret] = true
		}
		Expect(len(secrets)).To(Equal(total), "each has a secret of its own")
		expectNoOrphans(ctx, name)
	})
})

// createThroughOutage creates an object as a pipeline would: again, until it is there.
func createThroughOutage(ctx context.Context, credential *v1alpha1.ClientCredential) {
	GinkgoHelper()
	Eventually(func() error {
		return client.IgnoreAlreadyExists(plane.API.Create(ctx, credential.DeepCopy()))
	}).WithPolling(100*time.Millisecond).Should(Succeed(), "creating %s", credential.Name)
}

// Leader election does not fence: for a while two managers may both think that they lead.
var _ = Describe("two managers at once", func() {
	It("give every credential one Secret, and every secret that was ever given works", func(ctx context.Context) {
		const total = 40
		plane.StartManager(nil)
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		name := fresh()
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		var orders [total]*v1alpha1.ClientCredential
		var given [total][]harness.Credentials
		for i := range orders {
			orders[i] = builder.ClientCredential(name, fmt.Sprintf("client-%d", i), builder.ForAccount(name))
			plane.Create(ctx, orders[i])
		}
		for i := range orders {
			given[i] = append(given[i], plane.ExpectReady(ctx, orders[i]))
			Expect(plane.API.Delete(ctx, plane.Secret(ctx, orders[i]))).To(Succeed())
		}
		for i := range orders {
			Eventually(func() bool { return settled(ctx, orders[i]) && mounted(ctx, orders[i])[0] != given[i][0] }).Should(BeTrue())
			given[i] = append(given[i], mounted(ctx, orders[i])...)
		}
		for i := range orders {
			given[i] = append(given[i], plane.ExpectReady(ctx, orders[i]))
			for _, credentials := range given[i] {
				Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
			}
		}
		expectNoOrphans(ctx, name)
	})
})
