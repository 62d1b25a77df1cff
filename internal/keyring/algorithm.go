// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"io"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms of signatures (RFC 7518 section 3.1, RFC 8037 section 3.1).
const (
	// AlgorithmES256 is ECDSA on P-256 with SHA-256.
	AlgorithmES256 = string(jose.ES256)
	// AlgorithmEdDSA is Ed25519.
	AlgorithmEdDSA = string(jose.EdDSA)
	// AlgorithmRS256 is RSASSA-PKCS1-v1_5 with SHA-256.
	AlgorithmRS256 = string(jose.RS256)
)

// rsaBits is the size of RSA keys: the least that RFC 7518 section 3.3 allows, and 112 bits of strength, which NIST SP 800-57
// has suffice until 2030. A key signs for a month and is gone when its tokens are; with 3072 bits a signature would cost three
// times as much, and RS256 is the slowest by far as it is.
const rsaBits = 2048

// mostRSABits keeps a key that somebody has put into the Secret from making every signature take seconds.
const mostRSABits = 4096

// Algorithms are those that tokens may be signed with, the default first.
func Algorithms() []string { return []string{AlgorithmES256, AlgorithmEdDSA, AlgorithmRS256} }

// generatePrivate makes a private key for an algorithm.
func generatePrivate(algorithm string, random io.Reader) (crypto.Signer, error) {
	switch algorithm {
	case AlgorithmES256:
		return ecdsa.GenerateKey(elliptic.P256(), random) //nolint:wrapcheck // Generate wraps
	case AlgorithmEdDSA:
		_, private, err := ed25519.GenerateKey(random)
		return private, err //nolint:wrapcheck // Generate wraps
	case AlgorithmRS256:
		return rsa.GenerateKey(random, rsaBits) //nolint:wrapcheck // Generate wraps
	default:
		return nil, fmt.Errorf("unknown algorithm %q", algorithm)
	}
}

// algorithmOf gives the one algorithm that a public key is for, and "" where there is none. Each type of key has one only, so
// that no token can choose how its signature is read (RFC 8725 section 3.1).
func algorithmOf(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return AlgorithmES256
		}
	case ed25519.PublicKey:
		if len(public) == ed25519.PublicKeySize {
			return AlgorithmEdDSA
		}
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits >= rsaBits && bits <= mostRSABits {
			return AlgorithmRS256
		}
	}
	return ""
}

// isSound reports whether the two halves of a private key belong together, and makes it ready to sign. The JOSE library does
// not check a key of ECDSA, and a ring with a wrong one would sign nothing, or tokens that nobody can verify.
func isSound(private crypto.Signer) bool {
	switch private := private.(type) {
	case *ecdsa.PrivateKey:
		raw, err := private.Bytes()
		if err != nil {
			return false
		}
		derived, err := ecdsa.ParseRawPrivateKey(private.Curve, raw)
		return err == nil && derived.PublicKey.Equal(&private.PublicKey)
	case ed25519.PrivateKey:
		return len(private) == ed25519.PrivateKeySize && private.Equal(ed25519.NewKeyFromSeed(private.Seed()))
	case *rsa.PrivateKey:
		private.Precompute() // without it a signature takes several times as long
		return private.Validate() == nil
	default:
		return false
	}
}
