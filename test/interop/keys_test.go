// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// signingKey is what a client signs its assertions with, as a program needs it.
type signingKey struct {
	JWK       json.RawMessage `json:"jwk"`
	Algorithm string          `json:"algorithm"`
}

// newSigningKey makes a key and the JWK Set that its credential has: another key comes first, and none has an ID, for clients
// name none.
func newSigningKey() (*signingKey, string) {
	GinkgoHelper()
	own, other := newKey(), newKey()
	raw, err := jose.JSONWebKey{Key: own}.MarshalJSON()
	Expect(err).NotTo(HaveOccurred())
	scalar, err := own.Bytes()
	Expect(err).NotTo(HaveOccurred())
	plane.Ledger.Add(base64.RawURLEncoding.EncodeToString(scalar))
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: other.Public()}, {Key: own.Public()}}})
	Expect(err).NotTo(HaveOccurred())
	return &signingKey{JWK: raw, Algorithm: "ES256"}, string(set)
}

func newKey() *ecdsa.PrivateKey {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	return key
}
