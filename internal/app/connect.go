// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
	"github.com/claviger/claviger/internal/server/gate"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/internal/server/source"
	"github.com/claviger/claviger/internal/server/stop"
)

// DefaultConnectAddress is where the connect role listens.
const DefaultConnectAddress = "127.0.0.1:8090"

// DefaultConnectGrace is how long sign-ins under way may take to finish: a code that was sent must have its answer, and that be kept.
const DefaultConnectGrace = 50 * time.Second

// ConnectOptions are the options of the connect role.
type ConnectOptions struct {
	Common
	TLSOptions
	IssuerKeysOptions
	ConnectionOptions
	ConnectURLOptions
	ListenAddress string
	AccountHeader string
	// Stop is how it ends.
	Stop stop.Plan
	// Attempts is the budget of links and states that are none, for each source address.
	Attempts limit.Budget
	// Tokens is the budget of sign-in tokens, for each client of the host.
	Tokens limit.Budget
	// TrustedProxies are networks whose X-Forwarded-For is believed, in CIDR notation.
	TrustedProxies []string

	proxies source.Proxies
}

// DefaultAttempts is the budget of links and states that are none: a user has few, and a network of users more.
func DefaultAttempts() limit.Budget { return limit.Budget{Burst: 60, Every: 2 * time.Second} }

// DefaultSignInTokens is the budget of sign-in tokens: each is a Secret for five minutes.
func DefaultSignInTokens() limit.Budget {
	return limit.Budget{Burst: 500, Every: 100 * time.Millisecond}
}

func newConnectCommand() *cobra.Command {
	options := ConnectOptions{Attempts: DefaultAttempts(), Tokens: DefaultSignInTokens()}
	command := newRoleCommand("connect", "Run the connect role: sign-in tokens, and the sign-in of users at applications", &options.Common, options.Complete,
		func(ctx context.Context, config *rest.Config) error {
			public, operations, err := openPorts(ctx, options.ListenAddress, options.MetricsAddress)
			if err != nil {
				return err
			}
			return RunConnect(ctx, config, options, public, operations)
		})
	flags := command.Flags()
	flags.StringVar(&options.ListenAddress, "listen", DefaultConnectAddress, "address of the public port")
	flags.StringVar(&options.AccountHeader, "account-header", DefaultAccountHeader, "request header that names the account a call concerns")
	options.Stop.Bind(flags, DefaultConnectGrace, "requests under way")
	flags.Var(&options.Attempts, "failure-budget-per-source", `links and answers that are none, of one source address: how many at once, and the time to one more; "off" bounds nothing`)
	flags.Var(&options.Tokens, "sign-in-token-budget", `sign-in tokens of one client of the host; or "off"`)
	flags.StringSliceVar(&options.TrustedProxies, "trusted-proxies", nil, "networks (CIDR) of proxies whose X-Forwarded-For says where a request comes from")
	options.bindTLSFiles(flags)
	options.bindIssuerKeys(flags)
	options.ConnectionOptions.bind(flags)
	options.ConnectURLOptions.bind(flags)
	return command
}

// Complete fills in and validates the options. It reports every mistake at once.
func (o *ConnectOptions) Complete() error {
	mistakes := []error{o.Common.Complete()}
	mistakes = append(mistakes, o.completeIssuerKeys(o.Common), o.completeConnections(o.Common), o.completeConnectURL(o.Common))
	if o.plain() && !o.AllowPlainHTTP && !oauth.IsLoopbackAddress(o.ListenAddress) {
		mistakes = append(mistakes, errors.New("--listen is not on loopback, and without a certificate tokens would cross the network in clear; "+
			"give --tls-cert-file and --tls-key-file, or --allow-plain-http where something in front speaks TLS"))
	}
	// Something in front may speak TLS, or not: what the URL is says nothing of the port.
	mistakes = append(mistakes, o.completeTLS("localhost:0", &Common{}))
	if !canNameAccounts(o.AccountHeader) {
		mistakes = append(mistakes, fmt.Errorf("--account-header: %q is not the name of a header of its own", o.AccountHeader))
	}
	mistakes = append(mistakes, o.Stop.Check())
	var err error
	if o.proxies, err = source.ParseProxies(o.TrustedProxies); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--trusted-proxies: %w", err))
	}
	return errors.Join(mistakes...)
}

// RunConnect serves on the public port, and health and metrics on the operations port where there is one, until the context ends. The
// options are complete; the logger comes with the context. It is ready once it knows every object, the issuer's keys and its
// certificate.
func RunConnect(ctx context.Context, config *rest.Config, options ConnectOptions, public, operations net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	port, err := options.secure(ctx, public, nil, "", registry)
	if err != nil {
		return err
	}
	objects, revoker, err := follow(ctx, config, options.Common)
	if err != nil {
		return err
	}
	connections, err := kube.FollowConnections(ctx, objects)
	if err != nil {
		return err
	}
	directory, keys := revoker.Directory, options.keys(options.Common)
	api := options.newAPI(ctx, registry)
	api.Judge = &gate.Informed{
		Service: &issuer.Service{
			Minter:    issuer.Minter{Issuer: options.issuer.String(), Rules: options.rules(), Now: options.Clock},
			Directory: directory, Keys: keys, Tokens: newTokenCache(DefaultTokenCacheSize, registry),
		},
		AskForKeys: keys.Ask,
	}
	api.SignIns = options.newSignIns(revoker.Client, objects)
	ready := func() bool {
		return ctx.Err() == nil && directory.Synced() && connections() && keys.Loaded() && port.ready()
	}

	// What the verdicts go by is kept up to date until the last request has ended.
	lasting, rest := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return objects.Start(lasting) })
	group.Go(func() error { return keys.Run(lasting) })
	group.Go(func() error { return port.run(lasting) })
	group.Go(func() error {
		defer rest()
		return server.ServeWaiting(ctx, port, server.ConnectRoutes(api, ready), connectapi.AnswerWithin, options.Stop)
	})
	if operations != nil {
		group.Go(func() error {
			metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
			return server.Serve(ctx, operations, server.OperationsRoutes(metrics, ready), options.Stop)
		})
	}
	return group.Wait()
}

// newAPI puts together what the endpoints need that has nothing to do with objects.
func (o *ConnectOptions) newAPI(ctx context.Context, registry prometheus.Registerer) *connectapi.API {
	refusals := limit.NewRefusals(registry)
	return &connectapi.API{
		URL:           o.connectURL,
		Pages:         pages.New(o.connectURL.Path() + connectapi.PathAssets),
		Attempts:      limit.NewFailures(limit.FailureBudgets{Source: o.Attempts}, o.Clock, refusals),
		Tokens:        limit.NewSignInTokens(o.Tokens, o.Clock, refusals),
		AccountHeader: o.AccountHeader,
		Proxies:       o.proxies,
		Metrics:       connectapi.NewMetrics(registry),
		Audit:         audit.NewLog(logr.FromContextOrDiscard(ctx).WithName("audit")),
	}
}

// newSignIns puts the use cases together: secrets reads and writes Secrets at the API server, objects is the cache of everything else.
func (o *ConnectOptions) newSignIns(secrets client.Client, objects client.Reader) *signin.Service {
	grants := kube.Grants{Client: secrets, Live: secrets, Namespace: o.ConnectionsNamespace}
	return &signin.Service{
		Store: kube.SignIns{Client: secrets, Live: secrets, Namespace: o.ConnectionsNamespace},
		Places: kube.Places{
			Objects: objects, Grants: grants, Registrations: kube.Registrations{Live: secrets, Namespace: o.ConnectionsNamespace},
		},
		Grants:      grants,
		Provider:    &tokenendpoint.Client{HTTP: o.outside(), Now: o.Clock, Random: rand.Reader},
		RedirectURI: o.redirectURI,
		Now:         o.Clock,
		Random:      rand.Reader,
	}
}
