// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// maxKey bounds a private key in PEM, in bytes: an RSA key of 4096 bits has 3272.
const maxKey = 8 << 10

// withKey reads the private key of a client that signs assertions: one block of PEM with PKCS #8. It comes from a tenant, or from a
// Secret that somebody has made, so it is bounded before it is parsed. Where it will not do, the fault has the reason, and says what
// it is that will not.
func withKey(credentials tokenendpoint.Credentials, text []byte, reason, what string) (tokenendpoint.Credentials, error) {
	if credentials.Style != v1alpha1.AuthStylePrivateKeyJWT {
		return credentials, nil
	}
	credentials.Secret = oauth.Secret{}
	if len(text) > maxKey {
		return credentials, fault.Terminalf(reason, "%s has more than %d bytes", what, maxKey)
	}
	block, rest := pem.Decode(text)
	if block == nil || strings.TrimSpace(string(rest)) != "" {
		return credentials, fault.Terminalf(reason, "%s is not one block of PEM", what)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, signs := key.(crypto.Signer)
	if err != nil || !signs {
		return credentials, fault.Terminalf(reason, "%s is no private key in PKCS #8", what)
	}
	if !signsAssertions(signer) {
		return credentials, fault.Terminalf(reason, "%s is none that signs assertions: RSA of %d to %d bits, ECDSA on P-256, P-384 or P-521, or Ed25519",
			what, assertion.MinRSABits, assertion.MaxRSABits)
	}
	credentials.Key = signer
	return credentials, nil
}

func signsAssertions(key crypto.Signer) bool {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		bits := key.N.BitLen()
		return bits >= assertion.MinRSABits && bits <= assertion.MaxRSABits
	case *ecdsa.PrivateKey:
		return key.Curve.Params().BitSize >= leastCurve
	case ed25519.PrivateKey:
		return true
	default:
		return false
	}
}

// leastCurve is the size of the smallest curve that JWS has, P-256, in bits (RFC 7518 section 3.4).
const leastCurve = 256
