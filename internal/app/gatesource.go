// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/introspection"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/server/gate"
	"github.com/claviger/claviger/internal/token"
)

// issuerTimeout bounds a call to the issuer.
const issuerTimeout = 5 * time.Second

// onlyFor are the flags that only one source has a use for.
var onlyFor = map[string][]string{
	SourceAPI:           {"kubeconfig", "namespace", "console-namespaces", "watch-namespaces"},
	SourceIntrospection: {"introspection-url", "introspection-credentials", "introspection-token-file", "introspection-cache"},
}

// checkUnused refuses a flag that would have no effect.
func (o *GateOptions) checkUnused(flags *pflag.FlagSet) error {
	var mistakes []error
	for source, names := range onlyFor {
		for _, name := range names {
			if source != o.Source && flags.Changed(name) {
				mistakes = append(mistakes, fmt.Errorf("--%s is for --source=%s", name, source))
			}
		}
	}
	return errors.Join(mistakes...)
}

// source builds what the verdicts come from.
func (o *GateOptions) source(ctx context.Context, config *rest.Config, registry prometheus.Registerer) (gateSource, error) {
	tokens := newTokenCache(DefaultTokenCacheSize, registry)
	if o.Source == SourceIntrospection {
		return o.asking(tokens, registry), nil
	}
	return o.informed(ctx, config, tokens)
}

// asking builds the source that asks the issuer. It is ready once it has the keys: an issuer that is away must not take the gate
// out of its Service, where it would say so.
func (o *GateOptions) asking(tokens *token.Cache, registry prometheus.Registerer) gateSource {
	keys := o.keys(o.Common)
	return gateSource{
		judge: introspection.NewJudge(introspection.Options{
			Issuer: o.issuer.String(),
			Client: &introspection.Client{
				URL: o.IntrospectionURL, HTTP: outbound.NewClient(o.IssuerCAFile, issuerTimeout), Credentials: o.Introspection,
			},
			Keys:     keys,
			Tokens:   tokens,
			Remember: o.IntrospectionCache,
			Metrics:  introspection.NewMetrics(registry),
			Now:      o.Clock,
		}),
		need:     o.fixedNeed,
		resource: func() *gate.Resource { return o.resource },
		ready:    keys.Loaded,
		run:      keys.Run,
	}
}

// informed builds the source that knows what the token service knows: by Claviger's objects, and by the keys that are published.
func (o *GateOptions) informed(ctx context.Context, config *rest.Config, tokens *token.Cache) (gateSource, error) {
	objects, revoker, err := follow(ctx, config, o.Common)
	if err != nil {
		return gateSource{}, err
	}
	directory, keys := revoker.Directory, o.keys(o.Common)
	service := &issuer.Service{
		Minter:    issuer.Minter{Issuer: o.issuer.String(), Rules: o.rules(), Now: o.Clock},
		Directory: directory, Keys: keys, Tokens: tokens,
	}
	need, resource := o.fixedNeed, func() *gate.Resource { return o.resource }
	if o.Resource != "" {
		need = func() (issuer.Need, error) { return service.ResourceNeed(o.Resource) }
		resource = func() *gate.Resource { return described(service, o.Resource) }
	}
	return gateSource{
		judge:    &gate.Informed{Service: service, AskForKeys: keys.Ask},
		need:     need,
		resource: resource,
		ready:    func() bool { return directory.Synced() && keys.Loaded() },
		run: func(ctx context.Context) error {
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() error { return objects.Start(ctx) })
			group.Go(func() error { return keys.Run(ctx) })
			return group.Wait()
		},
	}, nil
}

// described gives what callers are told of a registered place, as it is now; nil where it is not there, or closed.
func described(service *issuer.Service, name string) *gate.Resource {
	metadata, found, err := service.ResourceMetadata(name)
	if err != nil || !found {
		return nil
	}
	resource, err := gate.NewResource(metadata)
	if err != nil { // the schema lets no such URL through
		return nil
	}
	return resource
}

// fixedNeed is what the flags say.
func (o *GateOptions) fixedNeed() (issuer.Need, error) {
	need := issuer.Need{Scopes: o.scopes}
	if o.Account != "" {
		need.Accounts = []string{o.Account}
	}
	if o.ResourceURL != "" {
		id, err := oauth.CanonicalResource(o.ResourceURL)
		if err != nil {
			return issuer.Need{}, fmt.Errorf("--resource-url: %w", err)
		}
		need.Resource = &credential.Resource{URL: o.ResourceURL, ID: id, AccountID: o.Account, Scopes: o.scopes, RequireAudience: o.RequireAudience}
	}
	return need, nil
}
