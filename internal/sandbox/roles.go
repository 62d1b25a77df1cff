// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/internal/server/stop"
)

func (s *Sandbox) common() app.Common {
	return app.Common{Namespace: config.Namespace, Issuer: s.Issuer(), LogLevel: "info", LogFormat: "json"}
}

// connections let applications be on this machine, where the sandbox's own one is.
func (s *Sandbox) connections() (app.ConnectionOptions, app.ConnectURLOptions) {
	return app.ConnectionOptions{EgressAllow: []string{loopback.Address + "/32"}, EgressAllowHTTP: true},
		app.ConnectURLOptions{ConnectURL: s.ConnectURL()}
}

func (s *Sandbox) startManager(ctx context.Context, common app.Common) error {
	options := app.ManagerOptions{Common: common, HealthAddress: "0", LeaderElect: true}
	options.ConnectionOptions, options.ConnectURLOptions = s.connections()
	options.MetricsAddress, options.ManageCertificates = "0", true
	if err := options.Complete(); err != nil {
		return err
	}
	return s.run(ctx, "manager", ManagerServiceAccount, options.Common, func(ctx context.Context, access *rest.Config) error {
		return app.RunManager(ctx, access, options)
	})
}

func (s *Sandbox) startTokenService(ctx context.Context, common app.Common) error {
	options := app.TokenServiceOptions{
		Common: common, ListenAddress: s.ports.public.Addr().String(), AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: app.DefaultShutdownGrace},
		TokenCacheSize: app.DefaultTokenCacheSize,
		Limits:         app.DefaultLimits(),
	}
	if err := options.Complete(); err != nil {
		return err
	}
	return s.run(ctx, "token-service", TokenServiceServiceAccount, options.Common, func(ctx context.Context, access *rest.Config) error {
		return app.RunTokenService(ctx, access, options, s.ports.public, s.ports.metrics)
	})
}

func (s *Sandbox) startConnect(ctx context.Context, common app.Common) error {
	options := app.ConnectOptions{
		Common: common, ListenAddress: s.ports.connect.Addr().String(), AccountHeader: app.DefaultAccountHeader, Stop: stop.Plan{Grace: app.DefaultShutdownGrace},
		Attempts: app.DefaultAttempts(), Tokens: app.DefaultSignInTokens(),
	}
	options.ConnectionOptions, options.ConnectURLOptions = s.connections()
	if err := options.Complete(); err != nil {
		return err
	}
	return s.run(ctx, "connect", ConnectServiceAccount, options.Common, func(ctx context.Context, access *rest.Config) error {
		return app.RunConnect(ctx, access, options, s.ports.connect, nil)
	})
}
