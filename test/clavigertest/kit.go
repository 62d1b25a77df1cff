// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/clock"
)

// Kit is Claviger that runs, with a control plane of its own. One process may run several. Its methods may be called by several
// tests at once.
type Kit struct {
	settings settings
	dir      string
	plane    *controlplane.ControlPlane
	api      client.Client
	clock    clock.Clock
	port     net.Listener
	trust    trust
	log      *log

	// life ends with the kit; its cause says what ended it.
	life context.Context
	end  context.CancelCauseFunc

	// moving keeps the clock from being moved while it is.
	moving       sync.Mutex
	startManager func() *role
	manager      *role
	tokenService *role

	stopping sync.Once
	stopped  error
}

// errStopped is the cause of the end of a kit that was stopped.
var errStopped = errors.New("the kit was stopped")

// Start starts a kit that ends with the test, after what the test registered with Cleanup later. It fails the test where it cannot
// start, or where a part of it ends by itself.
func Start(t testing.TB, options ...Option) *Kit {
	t.Helper()
	kit, err := Run(context.WithoutCancel(t.Context()), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kit.Stop(); err != nil {
			t.Error(err)
		}
	})
	return kit
}

// Run starts a kit that ends with Stop, for a TestMain whose tests share one. The context bounds the start alone.
func Run(ctx context.Context, options ...Option) (*Kit, error) {
	kit := &Kit{settings: settings{timeout: DefaultTimeout}}
	for _, option := range options {
		option(&kit.settings)
	}
	kit.log = &log{to: kit.settings.log}
	kit.life, kit.end = context.WithCancelCause(context.WithoutCancel(ctx))
	started := context.AfterFunc(ctx, func() { kit.end(context.Cause(ctx)) })
	defer started()
	if err := kit.start(); err != nil {
		kit.shutDown()
		return nil, fmt.Errorf("starting Claviger's test kit: %w", errors.Join(err, kit.discardAllButLogs()))
	}
	return kit, nil
}

func (k *Kit) start() error {
	var err error
	if k.dir, err = os.MkdirTemp("", "clavigertest-"); err != nil {
		return fmt.Errorf("making a temporary directory: %w", err)
	}
	if k.port, err = (&net.ListenConfig{}).Listen(k.life, "tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("opening the port of the token service: %w", err)
	}
	if err := k.startPlane(); err != nil {
		return err
	}
	if err := k.startRoles(); err != nil {
		return err
	}
	if err := controlplane.WriteKubeconfig(k.Kubeconfig(), k.plane.Admin(), "admin"); err != nil {
		return err
	}
	return k.awaitService(k.life)
}

// startPlane starts a control plane and installs what every cluster with Claviger has.
func (k *Kit) startPlane() error {
	plane, err := controlplane.Start(k.life, controlplane.Options{Assets: k.settings.findAssets(), Dir: k.dir, Lean: true})
	if missing, ok := errors.AsType[*controlplane.MissingError](err); ok {
		return howToGet(missing)
	}
	if err != nil {
		return err
	}
	k.plane = plane
	go func() {
		select {
		case <-plane.Exited():
			k.end(errors.New("kube-apiserver ended by itself"))
		case <-k.life.Done():
		}
	}()
	if err := sandbox.Install(k.life, plane.Admin()); err != nil {
		return err
	}
	if err := plane.StartControllers(k.life); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("building the scheme: %w", err)
	}
	if k.api, err = client.New(plane.Admin(), client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	return nil
}

// Stop ends the kit, and removes everything that it left on the disk. Its error is that of a part which ended by itself before.
func (k *Kit) Stop() error {
	k.stopping.Do(func() {
		k.shutDown()
		if cause := context.Cause(k.life); !errors.Is(cause, errStopped) {
			k.stopped = cause
		}
		if err := os.RemoveAll(k.dir); err != nil {
			k.stopped = errors.Join(k.stopped, fmt.Errorf("removing what the kit left: %w", err))
		}
	})
	return k.stopped
}

// shutDown ends what runs, last started first. It may be called on a kit that never fully started.
func (k *Kit) shutDown() {
	k.end(errStopped)
	k.moving.Lock()
	defer k.moving.Unlock()
	k.manager.stop()
	k.trust.CloseIdleConnections()
	k.tokenService.stop()
	if k.plane != nil {
		k.plane.Stop()
	}
	if k.port != nil {
		_ = k.port.Close() // the token service has closed it, where it ran
	}
	k.log.close()
}

// discardAllButLogs removes what a kit that did not start left on the disk, and leaves the logs that its error names.
func (k *Kit) discardAllButLogs() error {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return nil //nolint:nilerr // it was never made
	}
	var mistakes []error
	for _, entry := range entries {
		if entry.Name() != "logs" {
			mistakes = append(mistakes, os.RemoveAll(filepath.Join(k.dir, entry.Name())))
		}
	}
	_ = os.Remove(k.dir) // only where there are no logs either
	return errors.Join(mistakes...)
}

// Config gives access to the API server with all rights.
func (k *Kit) Config() *rest.Config { return k.plane.Admin() }

// Client gives a client of the API server with all rights, whose scheme knows the kinds of Kubernetes and of Claviger.
func (k *Kit) Client() client.Client { return k.api }

// Kubeconfig gives the path of a kubeconfig file with all rights, for programs such as kubectl.
func (k *Kit) Kubeconfig() string { return filepath.Join(k.dir, "kubeconfig") }

// Issuer gives the issuer identifier: the https URL that all endpoints of the token service are below.
func (k *Kit) Issuer() string {
	_, port, _ := net.SplitHostPort(k.port.Addr().String())
	return "https://" + net.JoinHostPort(host, port)
}

// TokenURL gives the URL of the token endpoint.
func (k *Kit) TokenURL() string { return k.Issuer() + server.PathToken }

// VerifyURL gives the URL that gateways ask.
func (k *Kit) VerifyURL() string { return k.Issuer() + server.PathVerify }

// CA gives the PEM certificates that verify the token service. Every Secret has them as ca.crt.
func (k *Kit) CA() []byte { return k.trust.certificates() }

// HTTPClient gives a client that trusts the token service, on the kit's clock, and nothing else.
func (k *Kit) HTTPClient() *http.Client { return &http.Client{Transport: &k.trust} }

// String says where the kit is.
func (k *Kit) String() string { return "Claviger's test kit at " + k.Issuer() }

// Now tells the time as Claviger has it: that of the machine, unless Advance moved it.
func (k *Kit) Now() time.Time { return k.clock.Now() }
