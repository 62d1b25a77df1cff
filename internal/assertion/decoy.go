// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
)

// decoy gives a key to verify a signature of that algorithm and size with, whose result does not count: it stands in for the keys
// that a client does not have. Anybody may know its private half. It costs what a real one does, for RSA of the size that the
// signature has.
func decoy(algorithm string, signature int) crypto.PublicKey {
	switch algorithm {
	case "ES256":
		return generator(elliptic.P256())
	case "ES384":
		return generator(elliptic.P384())
	case "EdDSA":
		return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	default:
		bits := uint(min(max(signature*8, MinRSABits), MaxRSABits))
		modulus := new(big.Int).Lsh(big.NewInt(1), bits)
		return &rsa.PublicKey{N: modulus.Sub(modulus, big.NewInt(1)), E: 65537}
	}
}

func generator(curve elliptic.Curve) *ecdsa.PublicKey {
	parameters := curve.Params()
	return &ecdsa.PublicKey{Curve: curve, X: parameters.Gx, Y: parameters.Gy} //nolint:staticcheck // SA1019: the generator is a point of the curve
}
