// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/token"
)

// Informed judges as the token service does, from the same objects in memory. Only its keys are not the token service's own:
// they are those that it publishes.
type Informed struct {
	Service *issuer.Service
	// AskForKeys fetches the keys anew, unless that was just done, and reports whether it did.
	AskForKeys func(context.Context) bool
}

// Authorize implements Judge. A token whose key is not known is judged once more with fresh keys: where one was compromised,
// its successor signs as soon as it is published.
func (i *Informed) Authorize(ctx context.Context, raw string, need issuer.Need) (issuer.Access, error) {
	access, err := i.Service.Authorize(raw, need)
	if errors.Is(err, token.ErrUnknownKey) && i.AskForKeys(ctx) {
		return i.Service.Authorize(raw, need)
	}
	return access, err
}
