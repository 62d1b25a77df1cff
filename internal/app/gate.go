// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/gate"
)

// DefaultGateAddress is where a gate listens.
const DefaultGateAddress = "127.0.0.1:8088"

// reviewInterval is how often calls under way are judged once more. With what the watch takes it leaves room in a second.
const reviewInterval = 250 * time.Millisecond

// gateSource is where a gate's verdicts come from.
type gateSource struct {
	judge gate.Judge
	need  func() (issuer.Need, error)
	// resource is what callers are told of the place; nil where there is nothing to tell.
	resource func() *gate.Resource
	// ready reports whether verdicts can be given.
	ready func() bool
	// run keeps it up to date until the context ends.
	run func(context.Context) error
}

func newGateCommand() *cobra.Command {
	options := &GateOptions{}
	command := &cobra.Command{
		Use:     "gate",
		Short:   "Run a gate: a reverse proxy that guards one webhook, MCP server or API",
		Long:    gateHelp,
		Example: gateExample,
		Args:    cobra.NoArgs,
		PreRunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("account") && options.Account == "" {
				return errors.New("--account is given and empty: a template that lost its variable must not admit every account")
			}
			return errors.Join(options.Complete(), options.checkUnused(command.Flags()))
		},
		RunE: func(command *cobra.Command, _ []string) error {
			logger := options.Logger(os.Stderr)
			UseLogger(logger)
			return listenAndGuard(logr.NewContext(command.Context(), logger), *options)
		},
	}
	options.bindProcess(command.Flags())
	options.bindCluster(command.Flags())
	options.bind(command.Flags())
	return command
}

func listenAndGuard(ctx context.Context, options GateOptions) error {
	var config *rest.Config
	if options.Source == SourceAPI {
		var err error
		if config, err = options.restConfig(); err != nil {
			return err
		}
	}
	public, operations, err := openPorts(ctx, options.ListenAddress, options.MetricsAddress)
	if err != nil {
		return err
	}
	return RunGate(ctx, config, options, public, operations)
}

// RunGate guards the upstream on the public port, and serves health and metrics on the operations port where there is one, until
// the context ends. config is how the API server is reached, where the source is SourceAPI. The options are complete; the logger
// comes with the context. It listens from the start and answers 503 until it can judge.
func RunGate(ctx context.Context, config *rest.Config, options GateOptions, public, operations net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	port, err := options.secure(ctx, public, nil, "", registry)
	if err != nil {
		return err
	}
	source, err := options.source(ctx, config, registry)
	if err != nil {
		return err
	}
	log := logr.FromContextOrDiscard(ctx)
	guarded := gate.New(gate.Options{
		Judge:         source.judge,
		Need:          source.need,
		Resource:      source.resource,
		AccountHeader: options.AccountHeader,
		Upstream:      options.upstream,
		PublicPaths:   options.PublicPaths,
		PassPreflight: options.PassPreflight,
		Patience:      options.Patience,
		Metrics:       gate.NewMetrics(registry),
		Audit:         audit.NewLog(log.WithName("audit")),
		Log:           log.WithName("gate"),
		Now:           options.Clock,
	})

	// What the verdicts go by is kept up to date until the last call has ended.
	lasting, rest := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return source.run(lasting) })
	group.Go(func() error { return port.run(lasting) })
	group.Go(func() error {
		tick := time.NewTicker(reviewInterval)
		defer tick.Stop()
		return guarded.Review(lasting, tick.C)
	})
	group.Go(func() error {
		defer rest()
		return server.ServeStreams(ctx, port, guarded, options.Stop)
	})
	if operations != nil {
		group.Go(func() error {
			ready := func() bool { return ctx.Err() == nil && source.ready() && port.ready() }
			metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
			return server.Serve(ctx, operations, server.OperationsRoutes(metrics, ready), options.Stop)
		})
	}
	return group.Wait()
}
