// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Serving is the certificate that the token service serves, with what verifies it.
type Serving struct {
	// chain begins with the server's own certificate, and goes on with those that lead to a root.
	chain []*x509.Certificate
	key   func() crypto.Signer
	// bundle has the authorities that clients shall trust: it verifies this certificate, and the next.
	bundle []*x509.Certificate
}

// Certificate is the server's own.
func (s Serving) Certificate() *x509.Certificate { return s.chain[0] }

// Bundle gives the authorities that clients shall trust, as PEM; empty where they are not told.
func (s Serving) Bundle() string { return string(encodeCertificates(s.bundle)) }

// verify asks what a client would that trusts the roots and nothing else, whatever it calls the server.
func (s Serving) verify(roots []*x509.Certificate, now time.Time) error {
	_, err := s.Certificate().Verify(x509.VerifyOptions{
		Roots: pool(roots), Intermediates: pool(s.chain[1:]), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err //nolint:wrapcheck // only whether it fails counts
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	set := x509.NewCertPool()
	for _, certificate := range certificates {
		set.AddCert(certificate)
	}
	return set
}

// issue signs a certificate for servers of these DNS names, with a key of its own. It ends with the authority at the latest.
func (a Authority) issue(random io.Reader, names []string, now time.Time) (*Serving, error) {
	key, err := newKey(random)
	if err != nil {
		return nil, err
	}
	template := blank(now, servingLife)
	template.Subject.CommonName, template.DNSNames = names[0], names
	template.KeyUsage = x509.KeyUsageDigitalSignature
	if end := a.Certificate().NotAfter; template.NotAfter.After(end) {
		template.NotAfter = end
	}
	certificate, err := sign(random, template, a.Certificate(), key.Public(), a.key())
	if err != nil {
		return nil, fmt.Errorf("signing a serving certificate: %w", err)
	}
	chain := append([]*x509.Certificate{certificate}, slices.DeleteFunc(slices.Clone(a.chain), isRoot)...)
	return &Serving{chain: chain, key: func() crypto.Signer { return key }}, nil
}

// renewAt is when two thirds of a certificate's life are over.
func renewAt(certificate *x509.Certificate) time.Time {
	return certificate.NotAfter.Add(-certificate.NotAfter.Sub(made(certificate)) / 3)
}

// Names are the DNS names of the token service: those by which it is reached in the cluster, the issuer's host where that is one
// of them, and those of the configuration. The first is plain.
type Names struct {
	Service, Namespace, ClusterDomain string
	// IssuerHost is the host of the issuer URL, without port.
	IssuerHost string
	More       []string
}

// All gives the names in lower case, without repetition, in an order that depends on nothing else.
func (n Names) All() []string {
	local := n.Service + "." + n.Namespace
	names := []string{n.Service, local, local + ".svc", local + ".svc." + n.ClusterDomain}
	more := slices.Clone(n.More)
	if host := strings.ToLower(n.IssuerHost); strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc."+n.ClusterDomain) {
		more = append(more, host)
	}
	for i := range more {
		more[i] = strings.ToLower(more[i])
	}
	slices.Sort(more)
	for _, name := range more {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
