// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/stop"
)

// Connect is a connect role that runs.
type Connect struct {
	*Role
	// URL is where it listens.
	URL           string
	operationsURL string
}

// StartConnect starts a connect role that may call providers on loopback, and waits until it is ready. issuer is whose tokens the host's
// backend brings.
func (p *Plane) StartConnect(issuer *TokenService, change func(*app.ConnectOptions)) *Connect {
	GinkgoHelper()
	return p.StartConnectThrough(issuer, nil, change)
}

// StartConnectThrough starts a connect role with something between it and the API server.
func (p *Plane) StartConnectThrough(issuer *TokenService, wrap func(http.RoundTripper) http.RoundTripper, change func(*app.ConnectOptions)) *Connect {
	GinkgoHelper()
	options := app.ConnectOptions{
		Common: *commonOptions(), ListenAddress: "127.0.0.1:0", AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: time.Second},
		IssuerKeysOptions: app.IssuerKeysOptions{JWKSURL: issuer.URL + server.PathJWKS},
		ConnectionOptions: app.ConnectionOptions{EgressAllow: []string{"127.0.0.0/8"}, EgressAllowHTTP: true},
	}
	change(&options)
	public, operations := listen(options.ListenAddress), listen("127.0.0.1:0")
	if options.ConnectURL == "" {
		options.ConnectURL = "http://" + public.Addr().String()
	}
	Expect(options.Complete()).To(Succeed())
	access := p.Identity(sandbox.ConnectServiceAccount)
	if wrap != nil {
		access.Wrap(wrap)
	}
	connect := &Connect{URL: "http://" + public.Addr().String(), operationsURL: "http://" + operations.Addr().String()}
	connect.Role = p.run("connect", func(ctx context.Context) error { return app.RunConnect(ctx, access, options, public, operations) })
	connect.metrics = operations.Addr().String()
	DeferCleanup(func() {
		p.tellMetrics(connect.metrics)
		connect.cancel()
		<-connect.done
	})
	Eventually(connect.Ready).WithTimeout(30*time.Second).Should(BeTrue(), "the connect role did not become ready")
	return connect
}

// Ready reports whether the connect role says that it is ready.
func (c *Connect) Ready() bool {
	response, err := http.Get(c.operationsURL + server.PathReady)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
