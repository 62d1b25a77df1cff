// SPDX-License-Identifier: Apache-2.0

// Package credential is the life of a client credential: how its secret is made and verified, and the rules that say
// whether it may be used. It works on API objects and knows no client for them.
package credential

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/claviger/claviger/internal/oauth"
)

const (
	// secretPrefix lets secret scanners recognise a leaked secret, and tells what it is.
	secretPrefix = "clvs_"
	// secretBytes is the entropy of a generated secret: 256 bits.
	secretBytes = 32
	// checksumLength: a CRC-32 takes up to 6 digits of base 62.
	checksumLength = 6
)

// GenerateSecret makes a client secret from 32 bytes of randomness: "clvs_", 43 characters of base64url, and 6
// characters of checksum by which a scanner tells a secret from a look-alike without asking anyone. It has only
// characters of [A-Za-z0-9_-], so raw and form-encoded HTTP Basic agree on it.
func GenerateSecret(random io.Reader) (oauth.Secret, error) {
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return oauth.Secret{}, fmt.Errorf("generating a client secret: %w", err)
	}
	payload := base64.RawURLEncoding.EncodeToString(raw)
	return oauth.NewSecret(secretPrefix + payload + checksum(payload)), nil
}

// IsGeneratedSecret reports whether a value has the form that GenerateSecret gives, checksum included.
func IsGeneratedSecret(value string) bool {
	rest, found := strings.CutPrefix(value, secretPrefix)
	payloadLength := base64.RawURLEncoding.EncodedLen(secretBytes)
	if !found || len(rest) != payloadLength+checksumLength {
		return false
	}
	payload := rest[:payloadLength]
	// The decoder skips line breaks, so only the length tells that there was none.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	return err == nil && len(raw) == secretBytes && rest[payloadLength:] == checksum(payload)
}

// checksum is the CRC-32 (IEEE) of the payload in base 62, most significant digit first, padded with zeros.
func checksum(payload string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := crc32.ChecksumIEEE([]byte(payload))
	var text [checksumLength]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = digits[sum%62]
		sum /= 62
	}
	return string(text[:])
}
