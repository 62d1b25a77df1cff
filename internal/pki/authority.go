// SPDX-License-Identifier: Apache-2.0

// Package pki makes the certificate that the token service serves and the authority that signs it, and says when either is
// replaced. Clock and randomness are parameters, and nothing is remembered but what is stored.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"slices"
	"time"
)

const day = 24 * time.Hour

// Lifetimes. A clock that is wrong by less than two weeks, either way and for as long as it likes, does no harm: every
// certificate begins a month before it is made, and everything that must happen before another thing does so a month before.
const (
	authorityLife = 10 * 365 * day
	servingLife   = 90 * day
	// backdate is how long before it was made a certificate begins.
	backdate = 30 * day
	// successorBefore is how long before the end of an authority its successor is made.
	successorBefore = 365 * day
	// lead is how long an authority is published before it signs.
	lead = 30 * day
	// settling is how long the one who decides must have seen an authority published before that signs, however long ago it
	// was made: a manager that was away has yet to tell the clients.
	settling = time.Hour
)

// organization marks the certificates that are made here.
const organization = "claviger.dev"

// MadeHere reports whether a certificate says that this package has made it. Who can forge that can write the Secret that the
// certificate is in.
func MadeHere(certificate *x509.Certificate) bool {
	return slices.Equal(certificate.Subject.Organization, []string{organization})
}

// Authority is a certificate authority that can sign.
type Authority struct {
	// chain begins with the authority's own certificate, and goes on with those that lead to a root, where it is none itself.
	chain []*x509.Certificate
	key   func() crypto.Signer // in a function, which no verb prints
}

// Certificate is the authority's own.
func (a Authority) Certificate() *x509.Certificate { return a.chain[0] }

// made is when the authority was made, where it was made here.
func made(authority *x509.Certificate) time.Time { return authority.NotBefore.Add(backdate) }

// isRoot reports whether a certificate is signed with its own key.
func isRoot(certificate *x509.Certificate) bool {
	return certificate.CheckSignatureFrom(certificate) == nil
}

// isValid reports whether a certificate has begun and has not ended.
func isValid(certificate *x509.Certificate, now time.Time) bool {
	return !now.Before(certificate.NotBefore) && now.Before(certificate.NotAfter)
}

// NewAuthority makes an authority: ECDSA on P-256, for ten years, good for certificates of servers and for no further
// authority. It has no name constraints (RFC 5280 section 4.2.1.10): the names are a matter of configuration, and each new one
// would take a change of authority, with its lead.
func NewAuthority(random io.Reader, now time.Time) (Authority, error) {
	key, err := newKey(random)
	if err != nil {
		return Authority{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return Authority{}, fmt.Errorf("naming a certificate authority: %w", err)
	}
	thumbprint := sha256.Sum256(public)
	template := blank(now, authorityLife)
	// No two have one name: there are clients that look for the issuer by its name alone.
	template.Subject.CommonName = fmt.Sprintf("Claviger CA %x", thumbprint[:4])
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	template.IsCA, template.MaxPathLenZero = true, true
	certificate, err := sign(random, template, template, key.Public(), key)
	if err != nil {
		return Authority{}, fmt.Errorf("making a certificate authority: %w", err)
	}
	return Authority{chain: []*x509.Certificate{certificate}, key: func() crypto.Signer { return key }}, nil
}

// newKey makes a key. Since Go 1.26 crypto/ecdsa draws from the system's randomness whatever the reader, outside of tests that
// ask otherwise.
func newKey(random io.Reader) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("generating the key of a certificate: %w", err)
	}
	return key, nil
}

// blank is what every certificate that is made here has. Its serial number is random, as there is none in it.
func blank(now time.Time, life time.Duration) *x509.Certificate {
	now = now.UTC().Truncate(time.Second)
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{organization}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(life),
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
}

func sign(random io.Reader, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	raw, err := x509.CreateCertificate(random, template, parent, public, key)
	if err != nil {
		return nil, err //nolint:wrapcheck // the callers say what was signed
	}
	return x509.ParseCertificate(raw) //nolint:wrapcheck // the callers say what was signed
}
