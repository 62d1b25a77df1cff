// SPDX-License-Identifier: Apache-2.0

// Package interop tries clients and servers that no one here wrote against Claviger, unmodified: OAuth and JOSE libraries of
// Node.js and Go, and the MCP SDKs.
package interop

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/nodejs"
)

func TestInterop(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Interop")
}

var (
	plane *harness.Plane
	// service is where its issuer says: real clients follow what they discover. Its clock moves.
	service *harness.TokenService
	clock   = &harness.Clock{}
	issuer  string
	// orders is a client of account acme with scopes Webhook and MCP.
	orders harness.Credentials
	// keyed is another, which signs its assertions with key.
	keyed harness.Credentials
	key   *signingKey
	// asker is a folder with the ID and the secret of orders, as a gate that asks has them mounted.
	asker string
)

var _ = BeforeSuite(func(ctx context.Context) {
	plane = harness.StartPlane()
	address, err := loopback.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	issuer = "http://" + address
	plane.StartManagerWith(func(o *app.ManagerOptions) { o.Issuer, o.Clock = issuer, clock.Now })
	service = plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
		o.Issuer, o.ListenAddress, o.Clock = issuer, address, clock.Now
		o.Limits = app.DefaultLimits()
	})
	credential := builder.ClientCredential("acme", "orders", builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP"))
	var keys string
	key, keys = newSigningKey()
	signer := builder.ClientCredential("acme", "keyed", builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP"), builder.JWKS(keys))
	plane.Create(ctx, builder.Account("acme", builder.Namespaces("acme")), credential, signer)
	orders, keyed = plane.ExpectReady(ctx, credential), plane.ExpectReady(ctx, signer)
	Eventually(service.Accepts).WithArguments(orders).Should(BeTrue())
	Eventually(service.Accepts).WithArguments(keyed).Should(BeTrue())
	asker = GinkgoT().TempDir()
	for file, content := range map[string]string{"client_id": orders.ID, "client_secret": orders.Secret} {
		Expect(os.WriteFile(filepath.Join(asker, file), []byte(content), 0o600)).To(Succeed())
	}
})

var _ = AfterSuite(func(ctx context.Context) {
	if plane != nil {
		plane.Ledger.ExpectNoLeak(ctx)
	}
})

// start starts a module of the npm project in the folder node, until the spec ends.
func start(ctx context.Context, module string) *nodejs.Program {
	GinkgoHelper()
	return nodejs.Prepare(ctx, "node").Start(ctx, module, plane.Ledger)
}
