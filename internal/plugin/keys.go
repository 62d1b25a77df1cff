// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
)

// publicKeys are those of the token service as anybody can have them. They verify and do nothing else.
type publicKeys struct{ ring *keyring.Ring }

// Pepper gives none: whoever has it could try client secrets.
func (publicKeys) Pepper() (credential.Pepper, bool) { return credential.Pepper{}, false }

// Ring gives the keys that verify tokens.
func (k publicKeys) Ring() (*keyring.Ring, bool) { return k.ring, true }

// fetchKeys fetches the public keys of a token service that is trusted.
func fetchKeys(ctx context.Context, where endpoint) (*keyring.Ring, error) {
	answer, err := where.get(ctx)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("fetching the public keys from %s: status %d", plain(where.url), answer.status)
	}
	ring, err := keyring.ParseJWKS(answer.body)
	if err != nil {
		return nil, fmt.Errorf("fetching the public keys from %s: %w", plain(where.url), err)
	}
	return ring, nil
}
