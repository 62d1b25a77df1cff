// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/pki"
)

func TestWhatIsStoredIsReadBack(t *testing.T) {
	c := newCluster(t)
	c.look()
	c.now = c.signer().NotAfter.Add(-364 * day)
	c.look()
	authorities, err := pki.DecodeAuthorities(c.authority)
	if err != nil {
		t.Fatal(err)
	}
	serving, err := pki.DecodeServing(c.serving)
	if err != nil {
		t.Fatal(err)
	}
	if authorities.Next == nil || !sameData(encoded(t, authorities), c.authority) || !sameData(encoded(t, serving), c.serving) {
		t.Error("something was lost")
	}
	if serving.Bundle() != string(c.serving["ca.crt"]) {
		t.Error("the bundle is another")
	}
	if pair := serving.TLS(); !pair.Leaf.Equal(c.leaf()) || len(pair.Certificate) != 1 {
		t.Error("what is served is something else")
	}
}

// TestKeysAreNotPrinted: no verb prints a key, whoever prints what.
func TestKeysAreNotPrinted(t *testing.T) {
	c := newCluster(t)
	plan := c.look()
	key, err := x509.ParsePKCS8PrivateKey(decodePEM(t, c.authority["tls.key"]))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := key.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	number := new(big.Int).SetBytes(secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		text := fmt.Sprintf(verb, plan) + fmt.Sprintf(verb, *plan.Serving) + fmt.Sprintf(verb, plan.Authorities)
		if strings.Contains(text, number.String()) || strings.Contains(text, number.Text(16)) {
			t.Errorf("%s prints the key", verb)
		}
	}
}

func decodePEM(t *testing.T, text []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("there is no PEM")
	}
	return block.Bytes
}

func encodePEM(kind string, raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
}

func TestDamagedAuthorities(t *testing.T) {
	c := newCluster(t)
	c.look()
	c.now = c.signer().NotAfter.Add(-364 * day)
	c.look()
	for _, row := range []struct {
		name   string
		change func(map[string][]byte)
		wrong  string
	}{
		{"nothing is there", func(data map[string][]byte) { clear(data) }, "tls.crt and tls.key"},
		{"the certificate is gone", func(data map[string][]byte) { delete(data, "tls.crt") }, "tls.crt"},
		{"the key is gone", func(data map[string][]byte) { delete(data, "tls.key") }, "tls.key"},
		{"the key is another's", func(data map[string][]byte) { data["tls.key"] = data["next.key"] }, "does not match"},
		{"the certificate is a server's", func(data map[string][]byte) {
			data["tls.crt"], data["tls.key"] = c.serving["tls.crt"], c.serving["tls.key"]
		}, "not the certificate of an authority"},
		{"the next one has no key", func(data map[string][]byte) { delete(data, "next.key") }, "next.key"},
		{"the next one has no certificate", func(data map[string][]byte) { delete(data, "next.crt") }, "next.crt"},
		{"what is no key is in the key's place", func(data map[string][]byte) { data["tls.key"] = []byte("hunter2-hunter2-hunter2") }, "tls.key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			data := map[string][]byte{}
			for key, value := range c.authority {
				data[key] = slices.Clone(value)
			}
			row.change(data)
			_, err := pki.DecodeAuthorities(data)
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error repeats what it has read")
			}
		})
	}
}

// TestBundlesHoldAuthoritiesAlone: whatever else is in one is passed over.
func TestBundlesHoldAuthoritiesAlone(t *testing.T) {
	c := newCluster(t)
	c.look()
	want := string(c.serving["ca.crt"])
	c.serving["ca.crt"] = slices.Concat([]byte("# a comment\n"), c.serving["tls.crt"], c.serving["ca.crt"], c.serving["ca.crt"], encodePEM("CERTIFICATE", []byte("nonsense")))
	serving, err := pki.DecodeServing(c.serving)
	if err != nil || serving.Bundle() != want {
		t.Errorf("got %d bytes, want %d: %v", len(serving.Bundle()), len(want), err)
	}
}

// foreignAuthority makes one as somebody else would: a root, and an authority below it, with a key of another type.
func foreignAuthority(t *testing.T, life time.Duration, intermediate bool) map[string][]byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Root"}, NotBefore: noon.Add(-time.Minute), NotAfter: noon.Add(life),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var key crypto.Signer
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	root := signed(t, template, template, key.Public(), key)
	chain := root
	if intermediate {
		below, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		parent := certificates(t, root)[0]
		template.Subject.CommonName, template.SerialNumber = "Example Issuing", big.NewInt(2)
		chain = signed(t, template, parent, below.Public(), key)
		key = below
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"tls.crt": chain, "tls.key": encodePEM("PRIVATE KEY", raw), "ca.crt": root}
}

func signed(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) []byte {
	t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return encodePEM("CERTIFICATE", raw)
}

// TestAnAuthorityOfSomebodyElse signs, and is never changed.
func TestAnAuthorityOfSomebodyElse(t *testing.T) {
	for _, intermediate := range []bool{false, true} {
		t.Run(fmt.Sprintf("below another: %v", intermediate), func(t *testing.T) {
			c := newCluster(t)
			c.foreign, c.authority = true, foreignAuthority(t, 365*day, intermediate)
			root := c.authority["ca.crt"]
			c.look()
			if len(certificates(t, c.serving["tls.crt"])) != map[bool]int{false: 1, true: 2}[intermediate] {
				t.Error("the chain is another")
			}
			if string(c.serving["ca.crt"]) != string(root) {
				t.Error("the root is what clients trust, and nothing else")
			}
			for range 34 {
				c.now = c.now.Add(10 * day)
				c.look()
				if err := accepts(root, c.serving["tls.crt"], names[0], c.now); err != nil {
					t.Fatal(err)
				}
			}
			serving := c.serving
			c.pass(5)
			if !sameData(serving, c.serving) {
				t.Error("the end of the authority is near, and a certificate is issued on every look")
			}
			c.now = noon.Add(365 * day)
			if _, err := c.plan(); err == nil {
				t.Error("an authority that has ended signs")
			}
		})
	}
}

// TestAnAuthorityOfSomebodyElseIsReplaced: the one before is trusted until everybody knows the new one.
func TestAnAuthorityOfSomebodyElseIsReplaced(t *testing.T) {
	c := newCluster(t)
	c.foreign, c.authority = true, foreignAuthority(t, 365*day, false)
	c.look()
	before := c.serving["tls.crt"]
	second := foreignAuthority(t, 400*day, false)
	c.authority = second
	c.look()
	if string(before) != string(c.serving["tls.crt"]) || len(c.bundle()) != 2 {
		t.Fatal("clients do not know the new one yet")
	}
	c.pass(75)
	if err := accepts(second["ca.crt"], c.serving["tls.crt"], names[0], c.now); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	local := []string{"svc", "svc.ns", "svc.ns.svc", "svc.ns.svc.cluster.local"}
	for _, row := range []struct {
		name, issuer string
		more, want   []string
	}{
		{name: "those of the Service", issuer: "auth.example.com", want: local},
		{name: "those of the configuration", more: []string{"b.example.com", "A.example.com"}, want: append(slices.Clone(local), "a.example.com", "b.example.com")},
		{name: "an issuer in the cluster", issuer: "Auth.other.svc", want: append(slices.Clone(local), "auth.other.svc")},
		{name: "an issuer in the cluster, in full", issuer: "auth.other.svc.cluster.local", want: append(slices.Clone(local), "auth.other.svc.cluster.local")},
		{name: "an issuer that is the Service", issuer: "svc.ns.svc", more: []string{"svc.ns.svc"}, want: local},
		{name: "an issuer of another cluster", issuer: "auth.other.svc.example.com", want: local},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := pki.Names{Service: "svc", Namespace: "ns", ClusterDomain: "cluster.local", IssuerHost: row.issuer, More: row.more}.All()
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}
