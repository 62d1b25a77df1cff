// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/server/stop"
)

// host is the name of the token service: a name, as its certificate is for names.
const host = "localhost"

// shutdownGrace is how long requests under way may take when the kit stops.
const shutdownGrace = time.Second

// role is a part of Claviger that runs in this process.
type role struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends a role, where there is one, and waits.
func (r *role) stop() {
	if r != nil {
		r.cancel()
		<-r.done
	}
}

// run runs a role. One that ends by itself ends the kit.
func (k *Kit) run(name string, serve func(context.Context) error) *role {
	ctx, cancel := context.WithCancel(logr.NewContext(k.life, k.logger(name)))
	running := &role{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(running.done)
		if err := serve(ctx); err != nil && ctx.Err() == nil {
			k.end(fmt.Errorf("the %s ended by itself: %w", name, err))
		}
	}()
	return running
}

// logger gives the logger of a role.
func (k *Kit) logger(name string) logr.Logger {
	if k.settings.log == nil {
		return logr.Discard()
	}
	common := k.common()
	return common.Logger(k.log).WithName(name)
}

func (k *Kit) common() app.Common {
	return app.Common{
		Namespace: config.Namespace, ConsoleNamespaces: append([]string{config.Namespace}, k.settings.consoleNamespaces...),
		Issuer: k.Issuer(), MetricsAddress: "0", LogLevel: "info", LogFormat: "text", Clock: k.clock.Now,
	}
}

func (k *Kit) startRoles() error {
	useForLibraries(k.logger("libraries"))
	manager := app.ManagerOptions{Common: k.common(), HealthAddress: "0"}
	manager.ManageCertificates, manager.ServingDNSNames = true, []string{host}
	// Applications that a test stands in for are on this machine.
	manager.EgressAllow, manager.EgressAllowHTTP = []string{"127.0.0.0/8", "::1/128"}, true
	tokens := app.TokenServiceOptions{
		Common: k.common(), TLSOptions: app.TLSOptions{TLSSecret: v1alpha1.ServingSecretName}, ListenAddress: k.port.Addr().String(),
		AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: shutdownGrace}, TokenCacheSize: app.DefaultTokenCacheSize,
	}
	for _, complete := range []func() error{manager.Complete, tokens.Complete} {
		if err := complete(); err != nil {
			return err
		}
	}
	managers, err := sandbox.Identity(k.life, k.plane.Admin(), sandbox.ManagerServiceAccount, k.dir)
	if err != nil {
		return err
	}
	services, err := sandbox.Identity(k.life, k.plane.Admin(), sandbox.TokenServiceServiceAccount, k.dir)
	if err != nil {
		return err
	}
	k.tokenService = k.run("token service", func(ctx context.Context) error {
		return app.RunTokenService(ctx, services, tokens, k.port, nil)
	})
	k.startManager = func() *role {
		return k.run("manager", func(ctx context.Context) error { return app.RunManager(ctx, managers, manager) })
	}
	k.manager = k.startManager()
	return nil
}

// Advance moves the clock of Claviger, for what expires and what is rotated by time, and has the manager look at everything again:
// what is due becomes so at once. Wait for what you expect of it. Tests that share a kit share its clock.
func (k *Kit) Advance(t testing.TB, by time.Duration) {
	t.Helper()
	if err := k.advance(by); err != nil {
		t.Fatal(err)
	}
}

// advance starts the manager anew, because its timers run on the machine's clock: one that starts looks at everything.
func (k *Kit) advance(by time.Duration) error {
	k.moving.Lock()
	defer k.moving.Unlock()
	k.manager.stop()
	k.clock.Advance(by)
	k.manager = k.startManager()
	// Its certificate may have expired meanwhile.
	return k.awaitService(k.life)
}
