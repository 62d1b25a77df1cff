// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/jwks"
	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/server/gate"
)

// issuerTimeout bounds a call to the issuer.
const issuerTimeout = 5 * time.Second

// informed builds the source that knows what the token service knows: by Claviger's objects, and by the keys that are published.
func (o *GateOptions) informed(ctx context.Context, config *rest.Config) (gateSource, error) {
	objects, revoker, err := follow(ctx, config, o.Namespace)
	if err != nil {
		return gateSource{}, err
	}
	directory, keys := revoker.Directory, o.keys()
	return gateSource{
		judge: &gate.Informed{
			Service: &issuer.Service{
				Minter:    issuer.Minter{Issuer: o.issuer.String(), Rules: o.rules(), Now: o.Clock},
				Directory: directory, Keys: keys,
			},
			AskForKeys: keys.Ask,
		},
		need:  o.fixedNeed,
		ready: func() bool { return directory.Synced() && keys.Loaded() },
		run: func(ctx context.Context) error {
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() error { return objects.Start(ctx) })
			group.Go(func() error { return keys.Run(ctx) })
			return group.Wait()
		},
	}, nil
}

func (o *GateOptions) keys() *jwks.Source {
	return &jwks.Source{URL: o.JWKSURL, Client: outbound.NewClient(o.IssuerCAFile, issuerTimeout), Now: o.Clock}
}

// fixedNeed is what the flags say.
func (o *GateOptions) fixedNeed() (issuer.Need, error) {
	need := issuer.Need{Scopes: o.scopes}
	if o.Account != "" {
		need.Accounts = []string{o.Account}
	}
	return need, nil
}
