// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/claviger/claviger/internal/introspection"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/gate"
	"github.com/claviger/claviger/internal/server/source"
	"github.com/claviger/claviger/internal/server/stop"
)

// Defaults of a gate's options.
const (
	DefaultUpstreamTimeout = 5 * time.Minute
	DefaultPatience        = 30 * time.Second
)

// DefaultIntrospectionCache is how long an answer of the issuer about a token holds.
const DefaultIntrospectionCache = time.Second

// maxIntrospectionCache bounds it: for so long a token lives on that was revoked.
const maxIntrospectionCache = time.Minute

// Where a gate's verdicts come from.
const (
	SourceAPI           = "api"
	SourceIntrospection = "introspection"
)

const gateHelp = `Runs a reverse proxy before one webhook, MCP server or API. It lets a call through only with a token
that /verify would admit, tells the upstream who calls in the X-Claviger-* headers, and takes away
whatever the caller put there. Streams pass as they come, and end when their token is expired, revoked
or its client suspended.

With --source=api it judges by Claviger's objects, which it watches: a Deployment with the rights of
config/rbac/gate.yaml. With --source=introspection it asks the token service about each token and remembers
the answer for a moment: a sidecar with credentials of its own and no rights in the cluster. Either way it
verifies signatures by the issuer's published keys and reads no Secret.`

const gateExample = `  # Before an account's webhook, in a pod of its own
  claviger gate --issuer=https://auth.example.com --scope=Webhook --account=acme \
    --upstream=http://orders.acme.svc:9000 --listen=:8088 --allow-plain-http

  # Before an MCP server, as a sidecar that asks with the client of a ClientCredential whose Secret is mounted
  claviger gate --source=introspection --introspection-credentials=/var/run/secrets/claviger \
    --issuer=https://auth.example.com --scope=MCP --account=acme --resource-url=https://mcp.acme.example/mcp \
    --upstream=http://127.0.0.1:9000 --listen=:8443 --tls-cert-file=/tls/tls.crt --tls-key-file=/tls/tls.key`

// GateOptions are the options of a gate.
type GateOptions struct {
	Common
	TLSOptions
	IssuerKeysOptions
	ListenAddress string
	AccountHeader string
	// Stop is how it ends.
	Stop stop.Plan

	// Source is SourceAPI or SourceIntrospection; empty means the former.
	Source string
	// Resource names a ProtectedResource, "<namespace>/<name>", in place of Scope, Account and ResourceURL.
	Resource string
	// Scope and Account say what the place needs, as the query of /verify does.
	Scope, Account string
	// ResourceURL is what callers know the place as (RFC 8707); empty: the gate serves no metadata of it.
	ResourceURL string
	// RequireAudience refuses tokens that were not taken for it.
	RequireAudience bool

	// Upstream is the URL of what is guarded.
	Upstream string
	// UpstreamCAFile holds the PEM certificates that verify it; empty where the world's own do.
	UpstreamCAFile string
	// UpstreamTimeout bounds how long its answer may take to begin.
	UpstreamTimeout      time.Duration
	ForwardAuthorization bool
	PreserveHost         bool
	// TrustedProxies are networks whose word on where a call came from is passed on, in CIDR notation.
	TrustedProxies []string
	PublicPaths    []string
	PassPreflight  bool
	// Patience is how long a call may go on while its token cannot be judged.
	Patience time.Duration

	// IntrospectionURL is that of the endpoint; empty: below the issuer.
	IntrospectionURL string
	// Introspection are the gate's own credentials there.
	Introspection introspection.Credentials
	// IntrospectionCache is how long an answer holds.
	IntrospectionCache time.Duration

	scopes   oauth.Scopes
	resource *gate.Resource
	upstream gate.Upstream
}

func (o *GateOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.ListenAddress, "listen", DefaultGateAddress, "address of the public port")
	o.bindTLSFiles(flags)
	flags.StringVar(&o.AccountHeader, "account-header", DefaultAccountHeader, "request header that names the account a call concerns")
	o.Stop.Bind(flags, DefaultShutdownGrace, "calls under way, which are ended then,")

	flags.StringVar(&o.Source, "source", SourceAPI, "where verdicts come from: api (Claviger's objects) or introspection (the token service)")
	flags.StringVar(&o.Resource, "resource", "", "ProtectedResource that is guarded, <namespace>/<name>, which says all of the following; for --source=api")
	flags.StringVar(&o.Scope, "scope", "", `scopes that a token must have, all of them, separated by blanks; "API" makes the place console-level (required without --resource)`)
	flags.StringVar(&o.Account, "account", "", "account whose place it is; none: any account's, and X-Claviger-Account says whose")

	flags.StringVar(&o.ResourceURL, "resource-url", "", "URL that callers know the place as; with it the gate serves its metadata (RFC 9728), and refusals say where")
	flags.BoolVar(&o.RequireAudience, "require-audience", false, "admit only tokens that were taken for --resource-url; else those for no resource in particular are good too")

	flags.StringVar(&o.Upstream, "upstream", "", "URL of what is guarded, without a path: http, https, or unix:///path of a socket (required)")
	flags.StringVar(&o.UpstreamCAFile, "upstream-ca-file", "", "file of PEM certificates that verify an https upstream, where its CA is private; read anew for every connection")
	flags.DurationVar(&o.UpstreamTimeout, "upstream-timeout", DefaultUpstreamTimeout, "how long the upstream may take until its answer begins; how long one lasts is not bounded")
	flags.BoolVar(&o.ForwardAuthorization, "forward-authorization", false, "let the upstream see the token")
	flags.BoolVar(&o.PreserveHost, "preserve-host", false, "let the upstream see the caller's Host instead of its own")
	flags.StringSliceVar(&o.TrustedProxies, "trusted-proxies", nil, "networks (CIDR) of proxies whose X-Forwarded-* and Forwarded are passed on; those of others are taken away")
	flags.StringSliceVar(&o.PublicPaths, "public-paths", nil, "paths that need no token, exactly as they are written in a request, without the query")
	flags.BoolVar(&o.PassPreflight, "pass-preflight", false, "let preflights of browsers (CORS) through, which cannot bring a token")
	flags.DurationVar(&o.Patience, "patience", DefaultPatience, "how long a call under way may go on while nobody can say whether its token is still good")

	o.bindIssuerKeys(flags)
	flags.StringVar(&o.IntrospectionURL, "introspection-url", "", "URL of the introspection endpoint (default: "+server.PathIntrospect+" below the issuer)")
	flags.StringVar(&o.Introspection.Dir, "introspection-credentials", "", "folder with the files client_id and client_secret of the client that asks, such as a ClientCredential's Secret as a volume; read for every question")
	flags.StringVar(&o.Introspection.TokenFile, "introspection-token-file", "", "file with the ServiceAccount token (audience: the issuer) that asks instead; read for every question")
	flags.DurationVar(&o.IntrospectionCache, "introspection-cache", DefaultIntrospectionCache, "how long an answer about a token holds, at most 1m; 0: every call asks")
}

// Complete fills in and validates the options. It reports every mistake at once.
func (o *GateOptions) Complete() error {
	mistakes := []error{o.Common.Complete(), o.completeSource(), o.completePlace(), o.completeUpstream()}
	if o.plain() && !o.AllowPlainHTTP && !oauth.IsLoopbackAddress(o.ListenAddress) {
		mistakes = append(mistakes, errors.New("--listen is not on loopback, and without a certificate tokens would cross the network in clear; "+
			"give --tls-cert-file and --tls-key-file, or --allow-plain-http where something in front speaks TLS"))
	}
	// The issuer and the gate are two: that the one has no TLS says nothing of the other.
	mistakes = append(mistakes, o.completeTLS("localhost:0", &Common{}))
	if !canNameAccounts(o.AccountHeader) {
		mistakes = append(mistakes, fmt.Errorf("--account-header: %q is not the name of a header of its own", o.AccountHeader))
	}
	if o.Patience < 0 {
		mistakes = append(mistakes, errors.New("--patience must not be negative"))
	}
	mistakes = append(mistakes, o.Stop.Check())
	mistakes = append(mistakes, o.completeIssuerKeys(o.Common), checkRoots("--upstream-ca-file", o.UpstreamCAFile))
	return errors.Join(mistakes...)
}

// completeSource fills in and validates where the verdicts come from.
func (o *GateOptions) completeSource() error {
	if o.Source == "" {
		o.Source = SourceAPI
	}
	if o.IntrospectionURL == "" {
		o.IntrospectionURL = o.issuer.Endpoint(server.PathIntrospect)
	}
	switch o.Source {
	case SourceAPI:
		return nil
	case SourceIntrospection:
	default:
		return fmt.Errorf("--source: %q is neither %s nor %s", o.Source, SourceAPI, SourceIntrospection)
	}
	mistakes := []error{o.checkService("--introspection-url", o.IntrospectionURL)}
	if (o.Introspection.Dir == "") == (o.Introspection.TokenFile == "") {
		mistakes = append(mistakes, errors.New("--introspection-credentials and --introspection-token-file: give one of them"))
	} else if err := o.Introspection.Check(); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--introspection-credentials or --introspection-token-file: %w", err))
	}
	if o.IntrospectionCache < 0 || o.IntrospectionCache > maxIntrospectionCache {
		mistakes = append(mistakes, fmt.Errorf("--introspection-cache: %v is not from 0 to %v", o.IntrospectionCache, maxIntrospectionCache))
	}
	return errors.Join(mistakes...)
}

func (o *GateOptions) completePlace() error {
	if o.Resource != "" {
		namespace, name, found := strings.Cut(o.Resource, "/")
		switch {
		case o.Source != SourceAPI:
			return errors.New("--resource is for --source=" + SourceAPI + ": give --scope, --account and --resource-url")
		case o.Scope != "" || o.Account != "" || o.ResourceURL != "" || o.RequireAudience:
			return errors.New("--resource says what --scope, --account, --resource-url and --require-audience would: give it alone")
		case !found || namespace == "" || name == "" || strings.Contains(name, "/"):
			return errors.New("--resource: it must be <namespace>/<name>")
		}
		return nil
	}
	var err error
	if o.scopes, err = oauth.ParseScopes(o.Scope); err != nil {
		return fmt.Errorf("--scope: %w", err)
	}
	if len(o.scopes) == 0 {
		return errors.New("--scope is required: a place that names no scope admits nobody")
	}
	if o.RequireAudience && o.ResourceURL == "" {
		return errors.New("--require-audience needs --resource-url")
	}
	if o.ResourceURL != "" {
		if o.resource, err = gate.NewResource(oauth.ResourceMetadata{
			Resource: o.ResourceURL, AuthorizationServers: []string{o.Issuer}, Scopes: o.scopes, BearerMethods: oauth.BearerMethods(),
		}); err != nil {
			return fmt.Errorf("--resource-url: %w", err)
		}
	}
	return nil
}

func (o *GateOptions) completeUpstream() error {
	if o.UpstreamTimeout <= 0 {
		return errors.New("--upstream-timeout must be positive")
	}
	if o.Upstream == "" {
		return errors.New("--upstream is required")
	}
	for _, path := range o.PublicPaths {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#*") {
			return fmt.Errorf("--public-paths: %q is not a path, or not one path", path)
		}
	}
	var err error
	if o.upstream, err = gate.NewUpstream(o.Upstream, outbound.NewTransport(o.UpstreamCAFile), o.UpstreamTimeout); err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	o.upstream.ForwardAuthorization, o.upstream.PreserveHost = o.ForwardAuthorization, o.PreserveHost
	if o.upstream.TrustedProxies, err = source.ParseProxies(o.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	return nil
}
