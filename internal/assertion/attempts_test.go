// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// counting counts how often a signature is verified.
type counting struct {
	jwt.SigningMethod
	keys []crypto.PublicKey
}

func (c *counting) Verify(_ string, _ []byte, key any) error {
	c.keys = append(c.keys, key)
	return jwt.ErrSignatureInvalid
}

// TestEqualWork: an assertion that no key verifies costs as much whatever keys there are, and none of the keys that stand in for
// those that there are not is of another kind.
func TestEqualWork(t *testing.T) {
	real := func(name, algorithm string, size int) Key {
		return Key{Name: name, algorithms: []string{algorithm}, public: decoy(algorithm, size)}
	}
	for _, algorithm := range Algorithms() {
		for _, size := range []int{64, 256, 512, 4096} {
			for name, keys := range map[string]Keys{
				"no keys": nil, "a key of that kid": {real("k", algorithm, size)}, "another": {real("x", algorithm, size)},
				"keys without a name": {real("", algorithm, size), real("", algorithm, size)},
				"all of them":         {real("", algorithm, size), real("x", algorithm, size), real("k", algorithm, size), real("", algorithm, size)},
			} {
				method := &counting{SigningMethod: jwt.GetSigningMethod(algorithm)}
				forged := parsed{Token: &jwt.Token{Method: method, Signature: make([]byte, size)}, kid: "k"}
				if _, found := forged.signer(keys); found || len(method.keys) != MaxKeys {
					t.Errorf("%s, %s: %d verifications", algorithm, name, len(method.keys))
				}
				for _, key := range method.keys {
					if !fits(algorithm, size, key) {
						t.Errorf("%s of %d bytes is verified with %T", algorithm, size, key)
					}
				}
			}
		}
	}
}

func fits(algorithm string, size int, key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && key.Params().BitSize == 256 || algorithm == "ES384" && key.Params().BitSize == 384
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	case *rsa.PublicKey:
		return (algorithm == "RS256" || algorithm == "PS256") && key.Size() == min(max(size, 256), 512)
	}
	return false
}

// TestDecoys: the libraries do the work, and do not stop at a key that they find odd.
func TestDecoys(t *testing.T) {
	for algorithm, want := range map[string]error{"ES256": jwt.ErrECDSAVerification, "ES384": jwt.ErrECDSAVerification, "EdDSA": jwt.ErrEd25519Verification, "RS256": rsa.ErrVerification, "PS256": rsa.ErrVerification} {
		size := map[string]int{"ES256": 64, "ES384": 96, "EdDSA": 64, "RS256": 256, "PS256": 256}[algorithm]
		signature := make([]byte, size)
		signature[size-1], signature[size/2-1] = 1, 1
		if err := jwt.GetSigningMethod(algorithm).Verify("a.b", signature, decoy(algorithm, size)); err != want { //nolint:errorlint // these and no others
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}
