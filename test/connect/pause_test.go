// SPDX-License-Identifier: Apache-2.0

//go:build unix

package connect

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
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
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// TestMain has the binary be a connect role where it was started as one.
func TestMain(m *testing.M) {
	var told orders
	if ordered, err := harness.Orders(&told); ordered {
		if err == nil {
			err = told.serve()
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// orders are what a process that is to be a connect role is told.
type orders struct{ Host, TokenFile, Address, ConnectURL, JWKSURL string }

// serve is the connect role until it is killed.
func (o orders) serve() error {
	options := app.ConnectOptions{
		Common:        app.Common{Namespace: config.Namespace, Issuer: harness.Issuer, MetricsAddress: "0", LogLevel: "debug", LogFormat: "json"},
		ListenAddress: o.Address, AccountHeader: app.DefaultAccountHeader,
		IssuerKeysOptions: app.IssuerKeysOptions{JWKSURL: o.JWKSURL},
		ConnectionOptions: app.ConnectionOptions{EgressAllow: []string{"127.0.0.0/8"}, EgressAllowHTTP: true},
		ConnectURLOptions: app.ConnectURLOptions{ConnectURL: o.ConnectURL},
	}
	if err := options.Complete(); err != nil {
		return fmt.Errorf("completing options: %w", err)
	}
	public, err := net.Listen("tcp", o.Address)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	logger := options.Logger(os.Stderr)
	app.UseLogger(logger)
	access := &rest.Config{Host: o.Host, BearerTokenFile: o.TokenFile, QPS: -1}
	return app.RunConnect(logr.NewContext(context.Background(), logger), access, options, public, nil)
}

// child is a replica that is a process of its own.
type child struct {
	*harness.Connect
	*harness.Process
}

// startChild starts one that reaches the API server through a grave, and waits until it is ready.
func startChild(ctx context.Context, through *grave) *child {
	GinkgoHelper()
	address, err := loopback.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	started := &child{&harness.Connect{URL: "http://" + address}, plane.StartProcess(orders{
		Host: proxied(through), TokenFile: plane.Identity(sandbox.ConnectServiceAccount).BearerTokenFile,
		Address: address, ConnectURL: connect.URL, JWKSURL: tokens.URL + server.PathJWKS,
	})}
	Eventually(func() bool {
		response, err := http.Get(started.URL + server.PathReady)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}).Should(BeTrue(), "it is ready")
	return started
}

// proxied gives the URL of a proxy to the API server through a grave.
func proxied(through *grave) string {
	GinkgoHelper()
	admin := plane.Admin()
	target, err := url.Parse(admin.Host)
	Expect(err).NotTo(HaveOccurred())
	through.next, err = rest.TransportFor(rest.AnonymousClientConfig(admin))
	Expect(err).NotTo(HaveOccurred())
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: through, FlushInterval: -1,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	DeferCleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	return proxy.URL
}

// nap is where a process is stopped over a callback.
type nap struct {
	// hold has it do something, and waits until it is held up. wake has it go on.
	hold func(state string, do func())
	wake func()
	// claimed says that it has made the answer its own before.
	claimed bool
}

// sleep has the process stop where it is held up while another replica finishes, and go on after that.
func (c *customer) sleep(ctx context.Context, process *child, nap nap) {
	GinkgoHelper()
	b := newBrowser(process.Connect)
	back := b.agree(b.follow(c.link()))
	answered := make(chan string, 1)
	nap.hold(back.Query().Get("state"), func() {
		defer GinkgoRecover()
		answered <- problemOn(b.back(back))
	})
	process.Signal(syscall.SIGSTOP)
	DeferCleanup(process.Signal, syscall.SIGCONT)

	By("reloading the callback at another replica, and signing in there once more")
	problem := problemOn((&visitor{Client: b.Client, replica: second}).back(back))
	Expect(problem == "state_unknown").To(Equal(nap.claimed), "it is answered with the problem %q", problem)
	expectHost(newBrowser(second).signIn(c.link()))
	c.expectConnected(ctx)

	By("having the first go on")
	process.Signal(syscall.SIGCONT)
	nap.wake()
	Eventually(answered).WithTimeout(time.Minute).Should(Receive(&problem))
	if nap.claimed {
		// Its requests may have timed out meanwhile, on a machine that is slow.
		Expect(problem).To(BeElementOf("", "unavailable"))
	} else {
		Expect(problem).To(BeElementOf("state_unknown", "unavailable"))
		Expect(exchanges(c.Provider)).To(Equal(2), "which another has had")
	}
	Expect(exchanges(c.Provider)).To(BeNumerically("<=", len(c.Secrets().Codes)), "no code is presented twice")
	c.expectLive(ctx)
	c.expectToConnectAgain(ctx)
}

var _ = Describe("a replica that is stopped while another finishes", Ordered, ContinueOnFailure, func() {
	var (
		graves  *grave
		process *child
	)
	BeforeAll(func(ctx context.Context) {
		graves = newGrave()
		process = startChild(ctx, graves)
	})

	It("at any request of an exchange, takes nothing twice and spoils nothing when it goes on", func(ctx context.Context) {
		for _, at := range points(callbackEnds) {
			By(at.String())
			c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
			c.expectKnownTo(ctx, process.Connect)
			var stopped *held
			c.sleep(ctx, process, nap{
				hold: func(state string, do func()) {
					GinkgoHelper()
					stopped = graves.dig(at, sessionSecret(state), c.grantSecret())
					stopped.expect(do)
				},
				wake: func() { close(stopped.wake) }, claimed: at.done(claim),
			})
		}
	})

	It("while the provider redeems its code, spoils nothing when it goes on", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
		c.expectKnownTo(ctx, process.Connect)
		redeemed, released := make(chan struct{}), make(chan struct{})
		var others atomic.Bool
		c.Watch(func(step provider.Step) {
			if step == provider.Done && others.CompareAndSwap(false, true) {
				close(redeemed)
				<-released
			}
		})
		c.sleep(ctx, process, nap{
			hold: func(_ string, do func()) {
				GinkgoHelper()
				go do()
				Eventually(redeemed).WithTimeout(time.Minute).Should(BeClosed())
			},
			wake: func() { close(released) }, claimed: true,
		})
	})
})
