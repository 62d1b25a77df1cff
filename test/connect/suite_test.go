// SPDX-License-Identifier: Apache-2.0

// Package connect holds the connect role to sections 3 to 5 of the wire contract, on a real API server, with a manager that publishes
// what sign-ins bring, and with a provider that can be told what goes wrong.
package connect

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

func TestConnect(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Connect")
}

var (
	plane  *harness.Plane
	tokens *harness.TokenService
	// connect and second are two replicas that browsers reach at one URL, that of connect.
	connect, second *harness.Connect
	console         harness.Credentials
	clock           = &harness.Clock{}
)

var _ = BeforeSuite(func(ctx context.Context) {
	plane = harness.StartPlane()
	address, err := loopback.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	plane.StartManagerWith(func(o *app.ManagerOptions) {
		o.EgressAllow, o.EgressAllowHTTP, o.ConnectURL = []string{"127.0.0.0/8"}, true, "http://"+address
	})
	tokens = plane.StartTokenService()
	connect = plane.StartConnect(tokens, func(o *app.ConnectOptions) { o.Clock, o.ListenAddress = clock.Now, address })
	second = plane.StartConnect(tokens, func(o *app.ConnectOptions) { o.Clock, o.ConnectURL = clock.Now, connect.URL })
	credential := builder.ClientCredential(config.Namespace, "host", builder.WithScopes("API"))
	plane.Create(ctx, credential)
	console = plane.ExpectReady(ctx, credential)
	Eventually(tokens.Accepts).WithArguments(console).Should(BeTrue())
	expectToKnowHost(connect)
	expectToKnowHost(second)
})

var _ = AfterSuite(func(ctx context.Context) {
	if plane != nil {
		plane.Ledger.ExpectNoLeak(ctx)
		plane.ExpectRightsUsed(sandbox.ConnectServiceAccount)
	}
})

var names atomic.Int64

// fresh gives a name that no other spec has.
func fresh() string { return fmt.Sprintf("acme-%d", names.Add(1)) }

// expectToKnowHost waits until a replica knows the client of the host's backend.
func expectToKnowHost(replica *harness.Connect) {
	GinkgoHelper()
	Eventually(func() int {
		return call(http.MethodGet, replica.URL+"/v1.0/accounts/nobody/connectors/a.b", consoleToken(), "").Status
	}).Should(Equal(http.StatusNotFound))
}
