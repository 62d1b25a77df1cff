// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/stop"
)

// Issuer is the issuer identifier of every role. It need not be where a token service listens: clients are told.
const Issuer = "http://" + app.DefaultListenAddress

// Role is one that runs.
type Role struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	// metrics is the address of its metrics.
	metrics string
}

// Metrics gives the text of the role's metrics.
func (r *Role) Metrics() string {
	GinkgoHelper()
	return Metrics(r.metrics)
}

func (p *Plane) run(role string, serve func(context.Context) error) *Role {
	ctx, cancel := context.WithCancel(p.ctx)
	logger := commonOptions().Logger(p.Ledger).WithName(role)
	running := &Role{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(running.done)
		running.err = serve(logr.NewContext(ctx, logger))
	}()
	return running
}

// Stop asks the role to end, waits, and gives its error.
func (r *Role) Stop() error {
	r.cancel()
	<-r.done
	return r.err
}

func commonOptions() *app.Common {
	return &app.Common{
		Namespace: config.Namespace, Issuer: Issuer, MetricsAddress: "0", LogLevel: "debug", LogFormat: "json",
	}
}

// StartManager starts a manager that works at once, without an election. wrap, where set, stands between it and the API
// server.
func (p *Plane) StartManager(wrap func(http.RoundTripper) http.RoundTripper) *Role {
	GinkgoHelper()
	return p.startManager(wrap, func(*app.ManagerOptions) {})
}

// StartManagerWith starts a manager with options of its own.
func (p *Plane) StartManagerWith(change func(*app.ManagerOptions)) *Role {
	GinkgoHelper()
	return p.startManager(nil, change)
}

// StartManagerThrough starts a manager with options of its own, and something between it and the API server.
func (p *Plane) StartManagerThrough(wrap func(http.RoundTripper) http.RoundTripper, change func(*app.ManagerOptions)) *Role {
	GinkgoHelper()
	return p.startManager(wrap, change)
}

func (p *Plane) startManager(wrap func(http.RoundTripper) http.RoundTripper, change func(*app.ManagerOptions)) *Role {
	GinkgoHelper()
	access := p.Identity(sandbox.ManagerServiceAccount)
	if wrap != nil {
		access.Wrap(wrap)
	}
	options := app.ManagerOptions{Common: *commonOptions(), HealthAddress: "0"}
	options.ManageCertificates = true
	var err error
	options.MetricsAddress, err = loopback.FreeAddress(p.ctx)
	Expect(err).NotTo(HaveOccurred())
	change(&options)
	Expect(options.Complete()).To(Succeed())
	manager := p.run("manager", func(ctx context.Context) error { return app.RunManager(ctx, access, options) })
	manager.metrics = options.MetricsAddress
	DeferCleanup(func() {
		p.tellMetrics(options.MetricsAddress)
		manager.cancel()
		<-manager.done
	})
	return manager
}

// Identity gives access as the ServiceAccount of a role.
func (p *Plane) Identity(serviceAccount string) *rest.Config {
	GinkgoHelper()
	access, err := sandbox.Identity(p.ctx, p.Admin(), serviceAccount, p.dir)
	Expect(err).NotTo(HaveOccurred())
	return access
}

// TokenService is a token service that runs.
type TokenService struct {
	*Role
	// URL is where it listens, and Client one that trusts it, from when it is ready.
	URL    string
	Client *http.Client
	// OperationsURL is where its metrics are.
	OperationsURL string
	plane         *Plane
}

// StartTokenService starts a token service and waits until it is ready.
func (p *Plane) StartTokenService() *TokenService {
	GinkgoHelper()
	return p.StartTokenServiceWith(func(*app.TokenServiceOptions) {})
}

// StartTokenServiceWith starts a token service with options of its own and waits until it is ready.
func (p *Plane) StartTokenServiceWith(change func(*app.TokenServiceOptions)) *TokenService {
	GinkgoHelper()
	service, options := p.launchTokenService(change)
	Eventually(service.Ready).WithTimeout(30*time.Second).Should(BeTrue(), "the token service did not become ready")
	service.Client = p.client(options)
	return service
}

// StartTokenServiceAt starts a token service whose issuer is where it listens, with that path, and waits until it is ready.
func (p *Plane) StartTokenServiceAt(path string) *TokenService {
	GinkgoHelper()
	address, err := loopback.FreeAddress(p.ctx)
	Expect(err).NotTo(HaveOccurred())
	return p.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.ListenAddress, o.Issuer = address, "http://"+address+path })
}

// LaunchTokenService starts a token service and does not wait.
func (p *Plane) LaunchTokenService() *TokenService {
	GinkgoHelper()
	return p.LaunchTokenServiceWith(func(*app.TokenServiceOptions) {})
}

// LaunchTokenServiceWith starts a token service with options of its own and does not wait.
func (p *Plane) LaunchTokenServiceWith(change func(*app.TokenServiceOptions)) *TokenService {
	GinkgoHelper()
	service, _ := p.launchTokenService(change)
	return service
}

func (p *Plane) launchTokenService(change func(*app.TokenServiceOptions)) (*TokenService, app.TokenServiceOptions) {
	GinkgoHelper()
	access := p.Identity(sandbox.TokenServiceServiceAccount)
	options := app.TokenServiceOptions{
		Common: *commonOptions(), ListenAddress: "127.0.0.1:0",
		AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: app.DefaultShutdownGrace},
		TokenCacheSize: app.DefaultTokenCacheSize,
	}
	change(&options)
	Expect(options.Complete()).To(Succeed())
	public, operations := listen(options.ListenAddress), listen("127.0.0.1:0")
	service := &TokenService{
		URL: "http://" + public.Addr().String(), OperationsURL: "http://" + operations.Addr().String(), Client: http.DefaultClient, plane: p,
	}
	if options.TLSSecret != "" || options.TLSCertFile != "" {
		service.URL = "https://" + public.Addr().String()
	}
	service.Role = p.run("token-service", func(ctx context.Context) error {
		return app.RunTokenService(ctx, access, options, public, operations)
	})
	service.metrics = operations.Addr().String()
	DeferCleanup(func() {
		p.tellMetrics(operations.Addr().String())
		service.cancel()
		<-service.done
	})
	return service, options
}

// Ready reports whether the token service says that it is ready.
func (s *TokenService) Ready() bool {
	response, err := http.Get(s.OperationsURL + server.PathReady)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// tellMetrics lets the ledger see the metrics of a role, where it still runs.
func (p *Plane) tellMetrics(address string) {
	if text, err := get("http://" + address + server.PathMetrics); err == nil {
		_, _ = p.Ledger.Write([]byte(text))
	}
}

func get(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

func listen(address string) net.Listener {
	GinkgoHelper()
	listener, err := net.Listen("tcp", address)
	Expect(err).NotTo(HaveOccurred())
	return listener
}
