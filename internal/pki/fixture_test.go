// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/pki"
)

const day = 24 * time.Hour

var (
	noon  = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	names = []string{"claviger-token-service", "claviger-token-service.claviger-system.svc"}
)

// cluster is what is stored, and a manager that looks at it.
type cluster struct {
	t *testing.T
	// authority and serving are the data of the two Secrets; nil: there is none.
	authority, serving map[string][]byte
	foreign            bool
	names              []string
	now                time.Time
	known              time.Duration
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{t: t, names: names, now: noon, known: 2 * time.Hour}
}

func (c *cluster) plan() (pki.Plan, error) {
	observed := pki.Observed{Foreign: c.foreign, Names: c.names, Known: c.known, Now: c.now}
	if c.authority != nil {
		authorities, err := pki.DecodeAuthorities(c.authority)
		if err != nil {
			c.t.Fatal(err)
		}
		observed.Authorities = &authorities
	}
	if serving, err := pki.DecodeServing(c.serving); err == nil {
		observed.Serving = &serving
	}
	return pki.MakePlan(rand.Reader, observed)
}

// look makes a plan and stores what it says.
func (c *cluster) look() pki.Plan {
	c.t.Helper()
	plan, err := c.plan()
	if err != nil {
		c.t.Fatal(err)
	}
	if !c.foreign {
		c.authority = encoded(c.t, plan.Authorities)
	}
	c.serving = encoded(c.t, plan.Serving)
	return plan
}

func encoded(t *testing.T, what interface {
	Encode() (map[string][]byte, error)
},
) map[string][]byte {
	t.Helper()
	data, err := what.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pass lets time pass in days, with a look on each.
func (c *cluster) pass(days int) []pki.Plan {
	c.t.Helper()
	var plans []pki.Plan
	for range days {
		c.now = c.now.Add(day)
		plans = append(plans, c.look())
	}
	return plans
}

// leaf is the certificate that is served.
func (c *cluster) leaf() *x509.Certificate {
	c.t.Helper()
	return certificates(c.t, c.serving["tls.crt"])[0]
}

// signer is the authority that signs.
func (c *cluster) signer() *x509.Certificate {
	c.t.Helper()
	return certificates(c.t, c.authority["tls.crt"])[0]
}

// bundle is what clients trust.
func (c *cluster) bundle() []*x509.Certificate {
	c.t.Helper()
	return certificates(c.t, c.serving["ca.crt"])
}

func certificates(t *testing.T, text []byte) []*x509.Certificate {
	t.Helper()
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, certificate)
	}
	return all
}

// accepts reports whether a client that trusts a bundle accepts what is served.
func accepts(bundle, served []byte, name string, now time.Time) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	block, rest := pem.Decode(served)
	intermediates.AppendCertsFromPEM(rest)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: intermediates, CurrentTime: now})
	return err
}

func sameData(a, b map[string][]byte) bool { return maps.EqualFunc(a, b, bytes.Equal) }
