// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
)

// header is the JOSE header of a token (RFC 7515 section 4.1, RFC 9068 section 2.1).
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// minted is wireClaims as they are written. The types of the library would have JSON call back for each of them, and its header is
// a map: together a tenth of the time that a token takes.
type minted struct {
	Issuer      string   `json:"iss"`
	Subject     string   `json:"sub"`
	Audience    []string `json:"aud"`
	ExpiresAt   int64    `json:"exp"`
	IssuedAt    int64    `json:"iat"`
	ID          string   `json:"jti"`
	ClientID    string   `json:"client_id"`
	Scope       string   `json:"scope"`
	Account     string   `json:"account,omitempty"`
	Incarnation string   `json:"incarnation"`
	SecretID    string   `json:"secret_id,omitempty"`
}

// Mint signs claims with the key that signs at the time of issue.
func Mint(issuer string, ring *keyring.Ring, claims Claims) (string, error) {
	key := ring.Signer(claims.IssuedAt)
	unsigned, err := compact(
		header{Algorithm: key.Algorithm, KeyID: key.ID, Type: headerType},
		minted{
			Issuer: issuer, Subject: claims.ClientID, Audience: claims.Audience,
			ExpiresAt: claims.ExpiresAt.Unix(), IssuedAt: claims.IssuedAt.Unix(), ID: claims.ID,
			ClientID: claims.ClientID, Scope: claims.Scope, Account: claims.Account,
			Incarnation: claims.Incarnation, SecretID: claims.SecretID,
		})
	if err != nil {
		return "", fmt.Errorf("encoding a token: %w", err)
	}
	signature, err := jwt.GetSigningMethod(key.Algorithm).Sign(string(unsigned), key.Private())
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return string(base64.RawURLEncoding.AppendEncode(append(unsigned, '.'), signature)), nil
}

// compact gives what is signed: the header and the claims (RFC 7515 section 7.1).
func compact(header header, claims minted) ([]byte, error) {
	first, err := json.Marshal(header)
	if err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	second, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("its claims: %w", err)
	}
	const room = 352 // for the longest signature, that of RSA
	text := make([]byte, 0, base64.RawURLEncoding.EncodedLen(len(first))+1+base64.RawURLEncoding.EncodedLen(len(second))+1+room)
	text = append(base64.RawURLEncoding.AppendEncode(text, first), '.')
	return base64.RawURLEncoding.AppendEncode(text, second), nil
}
