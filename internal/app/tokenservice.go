// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/extauthz"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/stop"
)

// Defaults of the token service's options.
const (
	DefaultListenAddress = "127.0.0.1:8089"
	DefaultAccountHeader = "X-Cyclr-Account"
	DefaultShutdownGrace = 20 * time.Second
)

// TokenServiceOptions are the options of the token service.
type TokenServiceOptions struct {
	Common
	TLSOptions
	ExtAuthz      ExtAuthzOptions
	ListenAddress string
	AccountHeader string
	// Stop is how it ends.
	Stop   stop.Plan
	Limits LimitOptions
	Traces TraceOptions
	// Origins are those whose scripts may take and revoke tokens.
	Origins []string
	// AuditAllowed logs every verdict that admits, too.
	AuditAllowed bool
	// TokenCacheSize is how many verified tokens are remembered. 0: none.
	TokenCacheSize int
}

func newTokenServiceCommand() *cobra.Command {
	var options TokenServiceOptions
	command := newRoleCommand("token-service", "Run the token service: tokens, keys, verify, revoke", &options.Common, options.Complete,
		func(ctx context.Context, config *rest.Config) error {
			return listenAndServeTokens(ctx, config, options)
		})
	command.Flags().StringVar(&options.ListenAddress, "listen", DefaultListenAddress, "address of the public port")
	command.Flags().StringVar(&options.AccountHeader, "account-header", DefaultAccountHeader, "request header that names the account a call concerns")
	options.bindTLS(command.Flags())
	options.ExtAuthz.bind(command.Flags())
	options.Stop.Bind(command.Flags(), DefaultShutdownGrace, "requests under way")
	command.Flags().BoolVar(&options.AuditAllowed, "audit-allowed", false, "write an audit event for every call that /verify admits, too")
	command.Flags().StringSliceVar(&options.Origins, "cors-allowed-origins", nil, "origins whose scripts may take and revoke tokens, such as https://app.example.com; none by default")
	command.Flags().IntVar(&options.TokenCacheSize, "token-cache-size", DefaultTokenCacheSize, "how many verified tokens are remembered, so that their signature is checked once; 0 remembers none")
	options.Limits.bind(command.Flags())
	options.Traces.bind(command.Flags())
	return command
}

// Complete fills in and validates the options.
func (o *TokenServiceOptions) Complete() error {
	mistakes := []error{o.Common.Complete(), o.Limits.complete(), o.Traces.complete(), checkOrigins(o.Origins), o.completeTLS(o.ListenAddress, &o.Common)}
	mistakes = append(mistakes, o.ExtAuthz.complete(o.plain(), o.AllowPlainHTTP))
	if !canNameAccounts(o.AccountHeader) {
		mistakes = append(mistakes, fmt.Errorf("--account-header: %q is not the name of a header of its own", o.AccountHeader))
	}
	mistakes = append(mistakes, o.Stop.Check())
	if o.TokenCacheSize < 0 {
		mistakes = append(mistakes, errors.New("--token-cache-size must not be negative"))
	}
	return errors.Join(mistakes...)
}

// canNameAccounts reports whether a header can say which account a call concerns. One that never arrives, because it is no
// header's name or the HTTP server takes it away, would let every call concern any account.
func canNameAccounts(header string) bool {
	switch canonical := http.CanonicalHeaderKey(header); canonical {
	case "Authorization", "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
		return false
	default:
		return httpguts.ValidHeaderFieldName(header) && !strings.HasPrefix(canonical, oauthapi.HeaderPrefix)
	}
}

func listenAndServeTokens(ctx context.Context, config *rest.Config, options TokenServiceOptions) error {
	public, operations, err := openPorts(ctx, options.ListenAddress, options.MetricsAddress)
	if err != nil {
		return err
	}
	return RunTokenService(ctx, config, options, public, operations)
}

// RunTokenService serves on the public port, and health and metrics on the operations port where there is one, until the
// context ends. The options are complete; the logger comes with the context. It serves from the start and is ready once it
// knows every object and has its keys and its certificate.
func RunTokenService(ctx context.Context, config *rest.Config, options TokenServiceOptions, public, operations net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	contact := &kube.Contact{Now: options.Clock}
	config = rest.CopyConfig(config)
	config.Wrap(contact.Wrap)
	objects, revoker, err := follow(ctx, config, options.Common)
	if err != nil {
		return err
	}
	directory := revoker.Directory
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("building a client: %w", err)
	}
	keys := &kube.Keys{}
	keys.Follow(ctx, clients, options.Namespace)
	clusterKeys := kube.NewClusterKeys(clients.CoreV1().RESTClient(), options.Clock)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(newFreshness(contact, keys, options.Clock))
	port, err := options.secure(ctx, public, clients, options.Namespace, registry)
	if err != nil {
		return err
	}
	ready := func() bool { return ctx.Err() == nil && directory.Synced() && keys.Loaded() && port.ready() }

	api := options.newAPI(ctx, &issuer.Service{
		Minter:    issuer.Minter{Issuer: options.issuer.String(), Rules: options.rules(), Now: options.Clock, Random: rand.Reader},
		Directory: directory, Keys: keys, ClusterKeys: clusterKeys, Revoker: revoker,
	}, registry)
	access, flush, err := options.access(ctx)
	if err != nil {
		return err
	}
	defer flush()

	// What the verdicts go by is kept up to date until the last request has ended.
	lasting, rest := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return objects.Start(lasting) })
	group.Go(func() error { return port.run(lasting) })
	group.Go(func() error { clusterKeys.Follow(lasting); return nil })
	group.Go(func() error {
		defer rest()
		ports, ctx := errgroup.WithContext(ctx)
		ports.Go(func() error {
			return server.Serve(ctx, port, server.Routes(api, options.issuer, access, ready), options.Stop)
		})
		ports.Go(func() error {
			return options.ExtAuthz.serve(ctx, port, extauthz.Server{API: api, Ready: ready, Stop: options.Stop})
		})
		return ports.Wait()
	})
	if operations != nil {
		group.Go(func() error {
			metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
			return server.Serve(ctx, operations, server.OperationsRoutes(metrics, ready), options.Stop)
		})
	}
	return group.Wait()
}

// newAPI puts the endpoints together, and the budgets around the use cases.
func (o *TokenServiceOptions) newAPI(ctx context.Context, service *issuer.Service, registry prometheus.Registerer) *oauthapi.API {
	service.Failures, service.Revocations = o.Limits.budgets(o.Clock, registry)
	service.Tokens = newTokenCache(o.TokenCacheSize, registry)
	return &oauthapi.API{
		Issuer:        service,
		IssuerURL:     o.issuer,
		AccountHeader: o.AccountHeader,
		Proxies:       o.Limits.proxies,
		Metrics:       oauthapi.NewMetrics(registry),
		Audit:         audit.NewLog(logr.FromContextOrDiscard(ctx).WithName("audit")),
		AuditAllowed:  o.AuditAllowed,
	}
}

// access says how the public port may be called. The function sends the last traces.
func (o *TokenServiceOptions) access(ctx context.Context) (server.Access, func(), error) {
	access := server.Access{Origins: o.Origins, Tracing: server.Tracing{Proxies: o.Limits.proxies}}
	provider, flush, err := o.Traces.provider(ctx, "claviger-token-service")
	if provider != nil { // a nil pointer in an interface would be a provider
		access.Tracing.Provider = provider
	}
	return access, flush, err
}

// follow builds the cache of Claviger's own objects, the directory that it feeds, and what writes RevokedTokens. No Secret passes
// through it, and only RevokedTokens of the operator's namespace count.
func follow(ctx context.Context, config *rest.Config, common Common) (cache.Cache, *kube.Revoker, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, nil, err
	}
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, nil, fmt.Errorf("building a client: %w", err)
	}
	// The cache asks for every kind at the start. Sharing what it learns keeps that question, which no timeout of a call bounds,
	// out of the first revocation.
	kinds, err := apiutil.NewDynamicRESTMapper(config, transport)
	if err != nil {
		return nil, nil, fmt.Errorf("building a mapper of kinds: %w", err)
	}
	objects, err := newCache(config, cache.Options{
		Scheme: scheme, HTTPClient: transport, Mapper: kinds,
		DefaultTransform:  cache.TransformStripManagedFields(),
		DefaultNamespaces: common.watched(),
		ByObject:          map[client.Object]cache.ByObject{&v1alpha1.RevokedToken{}: {Namespaces: map[string]cache.Config{common.Namespace: {}}}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("building the cache: %w", err)
	}
	writer, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: transport, Mapper: kinds})
	if err != nil {
		return nil, nil, fmt.Errorf("building a client: %w", err)
	}
	directory := &kube.Directory{}
	return objects, &kube.Revoker{Client: writer, Namespace: common.Namespace, Directory: directory}, directory.Follow(ctx, objects)
}
