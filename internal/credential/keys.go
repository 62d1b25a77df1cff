// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/fault"
)

// readKeys reads the keys of the spec. One that is no good does not take the others with it.
func (c *Client) readKeys(spec v1alpha1.ClientCredentialSpec) {
	pems := make([]string, len(spec.PublicKeys))
	for i, text := range spec.PublicKeys {
		pems[i] = string(text)
	}
	var err error
	if c.Keys, err = assertion.ReadKeys(spec.JWKS, pems); err != nil {
		c.KeysErr = fault.Terminalf(v1alpha1.ReasonInvalidKeys, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// Trusts reports whether a ServiceAccount may authenticate as the client.
func (c *Client) Trusts(account assertion.ServiceAccount) bool {
	return account.Namespace == c.Namespace && slices.Contains(c.ServiceAccounts, account.Name)
}

// StillHas reports whether the client still authenticates with the client secret or the key of that ID.
func (c *Client) StillHas(secretID string, now time.Time) bool {
	return c.Verifiers.HasSecretID(secretID, now) || c.Keys.Has(secretID)
}
