// SPDX-License-Identifier: Apache-2.0

package setup_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/fault"
)

type maker func() (crypto.PrivateKey, error)

func ecdsaKey(curve elliptic.Curve) maker {
	return func() (crypto.PrivateKey, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

func rsaKey(bits int) maker {
	return func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }
}

func ed25519Key() (crypto.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

func x25519Key() (crypto.PrivateKey, error) { return ecdh.X25519().GenerateKey(rand.Reader) }

// keyOf makes a private key in PEM.
func keyOf(t *testing.T, made maker) []byte {
	t.Helper()
	key, err := made()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestPrivateKeysThatSignAssertions(t *testing.T) {
	for name, made := range map[string]maker{
		"RSA of 2048 bits": rsaKey(2048), "RSA of 4096 bits": rsaKey(4096), "P-256": ecdsaKey(elliptic.P256()), "P-384": ecdsaKey(elliptic.P384()),
		"P-521": ecdsaKey(elliptic.P521()), "Ed25519": ed25519Key,
	} {
		t.Run(name, func(t *testing.T) {
			made, err := withKey(keyOf(t, made)).resolve()
			if err != nil || made.Request.Client.Key == nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestPrivateKeysThatDoNot are told by what they are part of: the account's properties, or the Connector's app registration.
func TestPrivateKeysThatDoNot(t *testing.T) {
	const note = "a note that is no key"
	for name, text := range map[string][]byte{
		"no PEM":               []byte(note),
		"nothing":              nil,
		"a PEM that is no key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(note)}),
		"two keys":             append(keyOf(t, ed25519Key), keyOf(t, ed25519Key)...),
		"more than a key":      append(keyOf(t, ed25519Key), note...),
		"RSA of 1024 bits":     keyOf(t, rsaKey(1024)),
		"RSA of 4104 bits":     keyOf(t, rsaKey(4104)),
		"P-224":                keyOf(t, ecdsaKey(elliptic.P224())),
		"X25519":               keyOf(t, x25519Key),
		"a megabyte":           []byte(strings.Repeat("-", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			of := withKey(text)
			of.properties = map[string]string{"ClientId": "mine", "ClientSecret": string(text)}
			_, err := of.resolve()
			expectFault(t, err, v1alpha1.ReasonInvalidProperty)

			of.library.Spec.Client, of.properties = v1alpha1.ClientShared, nil
			_, err = of.resolve()
			expectFault(t, err, v1alpha1.ReasonInvalidConnector)
		})
	}
}

func withKey(text []byte) *situation {
	s := newSituation()
	s.library.Spec.AuthStyle = v1alpha1.AuthStylePrivateKeyJWT
	s.properties["ClientSecret"] = string(text)
	s.shared = setup.Registration{ID: "shared", PrivateKey: text}
	return s
}

func expectFault(t *testing.T, err error, reason string) {
	t.Helper()
	if found, is := fault.As(err); !is || found.Reason != reason {
		t.Errorf("got %v, want %s", err, reason)
	}
}
