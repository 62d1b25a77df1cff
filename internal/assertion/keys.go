// SPDX-License-Identifier: Apache-2.0

// Package assertion verifies the JWTs by which clients authenticate (RFC 7523 section 2.2): those that a client signs with a key
// of its own, and the ServiceAccount tokens that the API server signs.
package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// MaxKeys is how many keys a client may have. It is also how many signatures are verified where none of them fits, so that no
// clock tells how many a client has, or whether it has any. A change of keys needs two.
const MaxKeys = 4

// Bounds of an RSA modulus, in bits: RFC 7518 section 3.3 has the lower one, and above the upper one a signature costs too much.
const (
	MinRSABits = 2048
	MaxRSABits = 4096
)

// Algorithms of the signatures that are accepted (RFC 7518 section 3.1, RFC 8037 section 3.1). None is symmetric.
func Algorithms() []string { return []string{"ES256", "ES384", "RS256", "PS256", "EdDSA"} }

// Key is a public key that signatures are verified with.
type Key struct {
	// Name is the kid by which signatures name it; empty where it has none.
	Name string
	// Thumbprint names it in tokens that are taken with it. It is that of RFC 7638, cut short.
	Thumbprint string

	algorithms []string
	public     crypto.PublicKey
}

// Keys are immutable.
type Keys []Key

// ReadKeys reads a client's keys: a JWK Set (RFC 7517 section 5) and public keys as PEM, both of which may be empty. The keys that
// come with an error are those that are good. Errors never quote what was read, which may be a private key by mistake.
func ReadKeys(set string, pems []string) (Keys, error) {
	var keys Keys
	var mistakes []error
	if set != "" {
		named, err := ReadSet([]byte(set), MaxKeys)
		keys, mistakes = named, append(mistakes, err)
	}
	for i, text := range pems {
		key, err := readPEM(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("publicKeys[%d] %w", i, err))
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) > MaxKeys {
		keys, mistakes = keys[:MaxKeys], append(mistakes, fmt.Errorf("there are more than %d keys", MaxKeys))
	}
	return keys, errors.Join(mistakes...)
}

// ReadSet reads a JWK Set of at most that many keys, under the rules of ReadKeys.
func ReadSet(raw []byte, most int) (Keys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil || set.Keys == nil {
		return nil, errors.New("jwks is not a JWK Set (RFC 7517 section 5)")
	}
	var keys Keys
	var mistakes []error
	for i, raw := range set.Keys {
		key, err := readJWK(raw)
		switch {
		case err != nil:
			mistakes = append(mistakes, fmt.Errorf("jwks key %d %w", i, err))
		case key.Name != "" && slices.ContainsFunc(keys, func(other Key) bool { return other.Name == key.Name }):
			mistakes = append(mistakes, fmt.Errorf("jwks key %d has the kid of another", i))
		case len(keys) == most:
			return keys, errors.Join(append(mistakes, fmt.Errorf("jwks has more than %d keys", most))...)
		default:
			keys = append(keys, key)
		}
	}
	return keys, errors.Join(mistakes...)
}

func readJWK(raw []byte) (Key, error) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return Key{}, errors.New("is not a key, or of a type that is not known here")
	}
	switch {
	case !jwk.IsPublic():
		return Key{}, errors.New("is not public: whoever has read it here can sign with it, so make another")
	case !jwk.Valid():
		return Key{}, errors.New("is not valid")
	case jwk.Use != "" && jwk.Use != "sig":
		return Key{}, errors.New("is not for signatures: its use is not sig")
	}
	key, err := newKey(jwk.Key)
	if err != nil {
		return Key{}, err
	}
	key.Name = jwk.KeyID
	if jwk.Algorithm != "" {
		if !slices.Contains(key.algorithms, jwk.Algorithm) {
			return Key{}, errors.New("has an alg that is not accepted of it")
		}
		key.algorithms = []string{jwk.Algorithm}
	}
	return key, nil
}

func readPEM(text string) (Key, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil || strings.TrimSpace(string(rest)) != "":
		return Key{}, errors.New("is not one block of PEM")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return Key{}, errors.New("is not public: whoever has read it here can sign with it, so make another")
	case block.Type != "PUBLIC KEY":
		return Key{}, errors.New("is not a PUBLIC KEY (RFC 7468 section 13)")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, errors.New("does not parse as a public key")
	}
	return newKey(public)
}

func newKey(public crypto.PublicKey) (Key, error) {
	key := Key{public: public}
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			key.algorithms = []string{"ES256"}
		case elliptic.P384():
			key.algorithms = []string{"ES384"}
		default:
			return Key{}, errors.New("is on another curve than P-256 and P-384")
		}
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
			return Key{}, fmt.Errorf("is an RSA key of other than %d to %d bits", MinRSABits, MaxRSABits)
		}
		key.algorithms = []string{"RS256", "PS256"}
	case ed25519.PublicKey:
		key.algorithms = []string{"EdDSA"}
	default:
		return Key{}, errors.New("is of a type that is not accepted")
	}
	print, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, errors.New("is not valid")
	}
	key.Thumbprint = base64.RawURLEncoding.EncodeToString(print[:9])
	return key, nil
}

// Has reports whether there is a key of that thumbprint.
func (k Keys) Has(thumbprint string) bool {
	return slices.ContainsFunc(k, func(key Key) bool { return key.Thumbprint == thumbprint })
}

// named finds the key of a kid and an algorithm.
func (k Keys) named(kid, algorithm string) (Key, bool) {
	for _, key := range k {
		if key.Name == kid && slices.Contains(key.algorithms, algorithm) {
			return key, true
		}
	}
	return Key{}, false
}

// candidates are the keys that may have made a signature: the one that it names, else all that have no name; where it names none,
// all.
func (k Keys) candidates(kid, algorithm string) Keys {
	if key, found := k.named(kid, algorithm); found && kid != "" {
		return Keys{key}
	}
	var found Keys
	for _, key := range k {
		if (key.Name == "" || kid == "") && slices.Contains(key.algorithms, algorithm) {
			found = append(found, key)
		}
	}
	return found
}
