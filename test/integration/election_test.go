// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/builder"
)

// leader gives the name of the manager that leads; empty where none does.
func leader(ctx context.Context) string {
	lease := &coordinationv1.Lease{}
	if plane.API.Get(ctx, client.ObjectKey{Namespace: config.Namespace, Name: "claviger-manager"}, lease) != nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

var _ = It("a manager that stands by acts as soon as the one that leads is asked to stop", func(ctx context.Context) {
	elected := func(o *app.ManagerOptions) { o.LeaderElect = true }
	leads := plane.StartManagerWith(elected)
	Eventually(leader).WithArguments(ctx).ShouldNot(BeEmpty())
	first := leader(ctx)
	plane.StartManagerWith(elected)
	Expect(leads.Stop()).To(Succeed())
	Eventually(leader).WithArguments(ctx).ShouldNot(BeElementOf("", first), "the lease was given back")

	name := fresh()
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)), orders)
	plane.ExpectReady(ctx, orders)
})
