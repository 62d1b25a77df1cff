// SPDX-License-Identifier: Apache-2.0

// Package sandbox runs Claviger on one machine, on loopback: a real control plane, and the roles of Claviger on it, each
// as its own ServiceAccount under the RBAC that clusters get, so that a missing right shows here first.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
	"github.com/claviger/claviger/internal/sandbox/thirdparty"
	"github.com/claviger/claviger/internal/server/connectapi"
)

// Sandbox is one that runs.
type Sandbox struct {
	options     Options
	lock        *lock
	plane       *controlplane.ControlPlane
	ports       ports
	application *thirdparty.Application

	roles   *errgroup.Group
	stop    context.CancelFunc
	stopped <-chan struct{}
	logs    []*os.File
}

// Start starts everything and waits until the token service is ready. progress is told what is being done. The context
// bounds the start and the life of the sandbox.
func Start(ctx context.Context, options Options, progress func(string)) (*Sandbox, error) {
	if !oauth.IsLoopbackAddress(options.Listen) {
		return nil, fmt.Errorf("--listen %s: the sandbox listens on loopback only", options.Listen)
	}
	if err := options.prepareDir(); err != nil {
		return nil, err
	}
	held, err := acquire(options.Dir)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{options: options, lock: held}
	if err := s.start(ctx, progress); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Sandbox) start(ctx context.Context, progress func(string)) error {
	if err := s.ports.open(ctx, s.options.Listen); err != nil {
		return err
	}
	s.application = thirdparty.New(s.ports.application, s.ConnectURL()+connectapi.PathCallback, time.Now)
	progress("starting etcd and kube-apiserver")
	var err error
	s.plane, err = controlplane.Start(ctx, controlplane.Options{
		Assets: s.options.Assets, Dir: s.options.Dir, Durable: !s.options.Ephemeral,
	})
	if err != nil {
		return err
	}
	progress("installing CRDs and RBAC")
	if err := Install(ctx, s.plane.Admin()); err != nil {
		return err
	}
	progress("starting kube-controller-manager")
	if err := s.plane.StartControllers(ctx); err != nil {
		return err
	}
	progress("starting the manager, the token service, the connect role and " + thirdparty.Name)
	if err := s.startRoles(ctx); err != nil {
		return err
	}
	for _, role := range []string{s.Issuer(), s.ConnectURL()} {
		if err := s.waitReady(ctx, role); err != nil {
			return err
		}
	}
	return s.writeFiles()
}

// startRoles runs each role until the context ends or Stop is called. One that ends with an error takes the others along.
func (s *Sandbox) startRoles(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(ctx)
	s.roles, ctx = errgroup.WithContext(ctx)
	s.stopped = ctx.Done()

	libraries, err := s.openLog("libraries")
	if err != nil {
		return err
	}
	common := s.common()
	app.UseLogger(common.Logger(libraries))

	for _, start := range []func(context.Context, app.Common) error{s.startManager, s.startTokenService, s.startConnect} {
		if err := start(ctx, common); err != nil {
			return err
		}
	}
	s.roles.Go(func() error { return s.application.Serve(ctx) })
	return nil
}

// run runs one role with its own identity and log.
func (s *Sandbox) run(ctx context.Context, role, serviceAccount string, options app.Common,
	serve func(context.Context, *rest.Config) error,
) error {
	file, err := s.openLog(role)
	if err != nil {
		return err
	}
	ctx = logr.NewContext(ctx, options.Logger(file))
	access, err := Identity(ctx, s.plane.Admin(), serviceAccount, filepath.Join(s.options.Dir, "pki"))
	if err != nil {
		return err
	}
	s.roles.Go(func() error {
		if err := serve(ctx, access); err != nil {
			return fmt.Errorf("the %s ended: %w; its log is %s", role, err, file.Name())
		}
		return nil
	})
	return nil
}

// openLog opens a log that is closed when the sandbox stops.
func (s *Sandbox) openLog(name string) (*os.File, error) {
	path := filepath.Join(s.plane.Logs(), name+".log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // G304: the user's own directory
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	s.logs = append(s.logs, file)
	return file, nil
}

// Wait waits until the context ends, and gives nil, or until a role or the API server ends, and says which.
func (s *Sandbox) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.stopped:
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end: the roles' context has ended with ours
		}
		return s.roles.Wait()
	case <-s.plane.Exited():
		return errors.New("kube-apiserver ended by itself; its log is in " + s.plane.Logs())
	}
}

// Stop stops everything, roles first, and removes the directory of an ephemeral sandbox. It may be called on one that
// never fully started.
func (s *Sandbox) Stop() {
	if s.stop != nil {
		s.stop()
		_ = s.roles.Wait() // Wait has told
	}
	if s.plane != nil {
		s.plane.Stop()
	}
	s.ports.close()
	for _, file := range s.logs {
		_ = file.Close()
	}
	s.lock.release()
	if s.options.Ephemeral {
		_ = os.RemoveAll(s.options.Dir)
	}
}

// Kubectl gives the path of a kubectl of the control plane's version.
func (s *Sandbox) Kubectl() string { return s.plane.Kubectl() }

// Admin gives access as a member of system:masters.
func (s *Sandbox) Admin() *rest.Config { return s.plane.Admin() }
