// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"net/http"
	"time"

	"k8s.io/client-go/rest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/stop"
)

// GateServiceAccount is that of a gate that judges by Claviger's objects.
const GateServiceAccount = "claviger-gate"

// Gate is a gate that runs.
type Gate struct {
	*Role
	// URL is where it listens.
	URL           string
	operationsURL string
}

// StartGate starts a gate before an upstream, with the keys of a token service, and waits until it is ready. With
// app.SourceIntrospection it asks that service, and has no access to the API server.
func (p *Plane) StartGate(issuer *TokenService, upstream string, change func(*app.GateOptions)) *Gate {
	GinkgoHelper()
	options := app.GateOptions{
		Common: *commonOptions(), ListenAddress: "127.0.0.1:0", AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: time.Second},
		Upstream: upstream, UpstreamTimeout: app.DefaultUpstreamTimeout, Patience: app.DefaultPatience,
		IssuerKeysOptions: app.IssuerKeysOptions{JWKSURL: issuer.URL + server.PathJWKS}, IntrospectionURL: issuer.URL + server.PathIntrospect,
	}
	change(&options)
	Expect(options.Complete()).To(Succeed())
	var access *rest.Config
	if options.Source == app.SourceAPI {
		access = p.Identity(GateServiceAccount)
	}
	public, operations := listen(options.ListenAddress), listen("127.0.0.1:0")
	gate := &Gate{URL: "http://" + public.Addr().String(), operationsURL: "http://" + operations.Addr().String()}
	if options.TLSCertFile != "" {
		gate.URL = "https://" + public.Addr().String()
	}
	gate.Role = p.run("gate", func(ctx context.Context) error { return app.RunGate(ctx, access, options, public, operations) })
	gate.metrics = operations.Addr().String()
	DeferCleanup(func() {
		p.tellMetrics(gate.metrics)
		gate.cancel()
		<-gate.done
	})
	Eventually(gate.Ready).WithTimeout(30*time.Second).Should(BeTrue(), "the gate did not become ready")
	return gate
}

// Ready reports whether the gate says that it is ready.
func (g *Gate) Ready() bool {
	response, err := http.Get(g.operationsURL + server.PathReady)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Call calls what the gate guards; headers are name, value pairs.
func (g *Gate) Call(token string, headers ...string) Answer {
	GinkgoHelper()
	return Do(g.Request(context.Background(), token, headers...))
}

// Request makes a call.
func (g *Gate) Request(ctx context.Context, token string, headers ...string) *http.Request {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+"/orders", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}
