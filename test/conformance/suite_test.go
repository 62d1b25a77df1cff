// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the token service to docs/endpoints.md with clients that know nothing of it: plain HTTP,
// golang.org/x/oauth2, curl and an independent JOSE library.
package conformance

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

func TestConformance(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Conformance")
}

var (
	world = &matrix.World{}

	// What is in the world, by the names that specs use.
	plane                      *harness.Plane
	service, second            *harness.TokenService
	webhook, mcp, both, others harness.Credentials
	console, suspended         harness.Credentials
)

var _ = BeforeSuite(func(ctx context.Context) {
	world.Start(ctx)
	plane, service, second = world.Plane, world.Service, world.Second
	webhook, mcp, both, others = world.Webhook, world.MCP, world.Both, world.Others
	console, suspended = world.Console, world.Suspended
	registerResources(ctx)
})

var _ = AfterSuite(func(ctx context.Context) {
	if plane != nil {
		plane.Ledger.ExpectNoLeak(ctx)
	}
})
