// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// trustFlags say which issuer is trusted, and where its public keys are.
type trustFlags struct {
	issuerFlags
	jwksURL string
}

func (f *trustFlags) bind(command *cobra.Command) {
	f.issuerFlags.bind(command, "Issuer identifier to trust, as tokens have it. Default: what the Secret of the token's credential says.")
	command.Flags().StringVar(&f.jwksURL, "jwks-url", "", "URL of the issuer's public keys. Default: "+pathJWKS+" below the issuer.")
}

// trusted is an issuer, why it is trusted, and its keys.
type trusted struct {
	issuer  string
	because string
	keys    publicKeys
}

// trust finds the issuer that a token must be of: the one that the user names, else the one that the manager wrote into the
// Secret of the client's credential. What the token says of its issuer is what is to be found out, and is never asked: whoever
// made the token up would choose who is called, and by which keys the token is good.
func (f *trustFlags) trust(ctx context.Context, now *live, clientID string) (trusted, error) {
	written, err := f.written(ctx, now, clientID)
	if err != nil {
		return trusted{}, err
	}
	found := trusted{issuer: f.issuer, because: "--issuer"}
	if f.issuer == "" {
		found.issuer, found.because = written.issuer, "Secret "+written.secret
	}
	where, err := f.endpoint(f.jwksURL, pathJWKS, found.issuer+pathJWKS, written.caCert)
	if err != nil {
		return trusted{}, err
	}
	ring, err := fetchKeys(ctx, where)
	found.keys = publicKeys{ring: ring}
	return found, err
}

// written gives what the manager wrote into the Secret of the client's credential. With --issuer there need be none.
func (f *trustFlags) written(ctx context.Context, now *live, clientID string) (binding, error) {
	object, exists := now.holder(clientID)
	if !exists {
		if f.issuer != "" {
			return binding{}, nil
		}
		return binding{}, fmt.Errorf("%s.\nTo have the rest of the token checked too, give --issuer", now.nobody(clientID))
	}
	read, err := readBinding(ctx, now.api, object)
	switch {
	case err == nil && read.owned && read.issuer != "":
		return read, nil
	case f.issuer != "":
		return binding{}, nil
	case err != nil:
		return binding{}, fmt.Errorf("%w\nIt would say which issuer to trust; without it, give --issuer", err)
	default:
		return binding{}, errors.New("the credential's Secret does not say which issuer to trust: give --issuer")
	}
}
