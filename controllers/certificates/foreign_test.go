// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/pki"
)

// TestWhoseACertificateIs: the certificate says so itself, and where it cannot, our label does.
func TestWhoseACertificateIs(t *testing.T) {
	ours, theirs := made(t), brought(t)
	for _, row := range []struct {
		name    string
		secret  bool
		label   string
		serving *pki.Serving
		foreign bool
	}{
		{name: "there is none"},
		{name: "one of ours", secret: true, label: v1alpha1.PurposeServing, serving: ours},
		{name: "one of ours that has lost its label", secret: true, serving: ours},
		{name: "somebody else's", secret: true, serving: theirs, foreign: true},
		{name: "somebody else's that was put in the place of ours", secret: true, label: v1alpha1.PurposeServing, serving: theirs, foreign: true},
		{name: "a damaged one of ours", secret: true, label: v1alpha1.PurposeServing},
		{name: "a damaged one that is not labelled", secret: true, foreign: true},
		{name: "a damaged one that is labelled as something else", secret: true, label: v1alpha1.PurposePepper, foreign: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			serving := found{purpose: v1alpha1.PurposeServing}
			if row.secret {
				serving.Secret = &corev1.Secret{}
				serving.Labels = map[string]string{v1alpha1.LabelSecret: row.label}
			}
			if got := (&Reconciler{}).isForeign(serving, row.serving); got != row.foreign {
				t.Errorf("somebody else's: %v", got)
			}
		})
	}
}

func made(t *testing.T) *pki.Serving {
	t.Helper()
	plan, err := pki.MakePlan(rand.Reader, pki.Observed{Names: []string{"localhost"}, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Serving
}

func brought(t *testing.T) *pki.Serving {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	serving, err := pki.DecodeServing(map[string][]byte{
		"tls.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}),
		"tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &serving
}
