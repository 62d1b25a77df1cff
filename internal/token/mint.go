// SPDX-License-Identifier: Apache-2.0

package token

import (
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
)

// Mint signs claims with the key that signs at the time of issue.
func Mint(issuer string, ring *keyring.Ring, claims Claims) (string, error) {
	key := ring.Signer(claims.IssuedAt)
	unsigned := jwt.NewWithClaims(jwt.GetSigningMethod(key.Algorithm), claims.wire(issuer))
	unsigned.Header["typ"] = headerType
	unsigned.Header["kid"] = key.ID
	signed, err := unsigned.SignedString(key.Private())
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed, nil
}
