// SPDX-License-Identifier: Apache-2.0

// Package integration tests the roles together on a real API server, each under its own RBAC.
package integration

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

func TestIntegration(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Integration")
}

var plane *harness.Plane

var _ = BeforeSuite(func() { plane = harness.StartPlane() })

var _ = AfterSuite(func(ctx context.Context) {
	if plane != nil {
		plane.Ledger.ExpectNoLeak(ctx)
		plane.ExpectRightsUsed(sandbox.ManagerServiceAccount, sandbox.TokenServiceServiceAccount)
	}
})

var names atomic.Int64

// fresh gives a name that no other spec has, for accounts and namespaces.
func fresh() string { return fmt.Sprintf("t%d", names.Add(1)) }

// waitForNextSecond waits until an object created now is younger than whatever is there: the API server stamps objects in whole seconds.
func waitForNextSecond() {
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second + 50*time.Millisecond)))
}

// readyOrders creates an account that allows the namespace of its own name, and there a credential "orders" for its webhooks,
// and waits until the token service grants it tokens.
func readyOrders(ctx context.Context, tokens *harness.TokenService) (*v1alpha1.ClientCredential, harness.Credentials) {
	GinkgoHelper()
	name := fresh()
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
	credentials := plane.ExpectReady(ctx, orders)
	Eventually(tokens.Accepts).WithArguments(credentials).Should(BeTrue())
	return orders, credentials
}
