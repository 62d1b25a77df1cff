// SPDX-License-Identifier: Apache-2.0

// Package gateways puts real gateways, configured by the files in docs/gateways, between callers and what is guarded, and holds
// them to the table of docs/endpoints.md. Those that cannot run here are played: their requests, byte for byte.
package gateways

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/matrix"
)

func TestGateways(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Gateways")
}

var (
	world = &matrix.World{}
	// asked stands between the gateways and the token service, and sees what is asked.
	asked *tap
	// behind is what is guarded.
	behind *upstream

	// extAuthzAddress is where the token service speaks gRPC.
	extAuthzAddress string

	nginx = &gateway{name: "nginx", configuration: "nginx.conf", prepare: prepareNginx}
	caddy = &gateway{name: "caddy", configuration: "Caddyfile", prepare: prepareCaddy}
)

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	extAuthzAddress, err = loopback.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	world.Start(ctx, func(o *app.TokenServiceOptions) { o.ExtAuthz.ExtAuthzAddress = extAuthzAddress })
	asked, behind = startTap(world.Service.URL), startUpstream()
	nginx.start(ctx)
	caddy.start(ctx)
	dialExtAuthz()
})

var _ = AfterSuite(func(ctx context.Context) {
	if world.Plane != nil {
		nginx.tellLogs()
		caddy.tellLogs()
		world.Plane.Ledger.ExpectNoLeak(ctx)
	}
})

// eachGateway adds the specs once for every gateway that runs.
func eachGateway(specs func(*gateway)) {
	for _, gateway := range []*gateway{nginx, caddy} {
		Context("of "+gateway.name, func() {
			BeforeEach(gateway.needed)
			specs(gateway)
		})
	}
}

var _ = Describe("the matrix of tokens and places", func() {
	eachGateway(func(g *gateway) {
		matrix.Hold(matrix.Tokens(), world, g.ask)
		matrix.Hold(matrix.Forgeries(), world, g.ask)
		matrix.HoldDeaths(world, matrix.Shared, g.ask)
		matrix.HoldResources(world, g.ask)
	})
})
