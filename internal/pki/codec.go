// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Keys of the two Secrets. Both are of type kubernetes.io/tls, and the first three keys mean what they mean everywhere, so that
// cert-manager or a human can write either instead.
const (
	keyCertificate = "tls.crt"
	keyPrivate     = "tls.key"
	keyBundle      = "ca.crt"
	// keyNextCertificate and keyNextPrivate hold the authority that is published and does not sign yet.
	keyNextCertificate = "next.crt"
	keyNextPrivate     = "next.key"
)

// Authorities is what the Secret of the authority holds.
type Authorities struct {
	Current Authority
	// Next will sign some day, and is published until then. Nil where there is none.
	Next *Authority
	// trusted has every authority that clients shall trust.
	trusted []*x509.Certificate
}

// Encode gives the data of the Secret of the authority.
func (a Authorities) Encode() (map[string][]byte, error) {
	data := map[string][]byte{keyBundle: encodeCertificates(a.trusted)}
	if err := encodePair(data, keyCertificate, keyPrivate, a.Current.chain, a.Current.key); err != nil {
		return nil, err
	}
	if a.Next == nil {
		return data, nil
	}
	return data, encodePair(data, keyNextCertificate, keyNextPrivate, a.Next.chain, a.Next.key)
}

// DecodeAuthorities reads the Secret of the authority, whoever made it. Its errors never hold a key.
func DecodeAuthorities(data map[string][]byte) (Authorities, error) {
	current, err := decodeAuthority(data, keyCertificate, keyPrivate)
	if err != nil {
		return Authorities{}, err
	}
	authorities := Authorities{Current: current, trusted: decodeCertificates(data[keyBundle])}
	if len(data[keyNextCertificate]) > 0 || len(data[keyNextPrivate]) > 0 {
		next, err := decodeAuthority(data, keyNextCertificate, keyNextPrivate)
		if err != nil {
			return Authorities{}, err
		}
		authorities.Next = &next
	}
	return authorities, nil
}

func decodeAuthority(data map[string][]byte, certificate, private string) (Authority, error) {
	chain, key, err := decodePair(data, certificate, private)
	if err != nil {
		return Authority{}, err
	}
	if !chain[0].IsCA || chain[0].KeyUsage != 0 && chain[0].KeyUsage&x509.KeyUsageCertSign == 0 {
		return Authority{}, fmt.Errorf("%s is not the certificate of an authority", certificate)
	}
	return Authority{chain: chain, key: key}, nil
}

// Encode gives the data of the Secret that the token service reads.
func (s Serving) Encode() (map[string][]byte, error) {
	data := map[string][]byte{keyBundle: encodeCertificates(s.bundle)}
	return data, encodePair(data, keyCertificate, keyPrivate, s.chain, s.key)
}

// DecodeServing reads the Secret that the token service reads, whoever made it. A bundle that is missing or damaged is empty.
// Its errors never hold a key.
func DecodeServing(data map[string][]byte) (Serving, error) {
	chain, key, err := decodePair(data, keyCertificate, keyPrivate)
	if err != nil {
		return Serving{}, err
	}
	return Serving{chain: chain, key: key, bundle: decodeCertificates(data[keyBundle])}, nil
}

// TLS gives the certificate in the form that crypto/tls serves.
func (s Serving) TLS() *tls.Certificate {
	certificate := &tls.Certificate{PrivateKey: s.key(), Leaf: s.chain[0]}
	for _, link := range s.chain {
		certificate.Certificate = append(certificate.Certificate, link.Raw)
	}
	return certificate
}

func encodePair(data map[string][]byte, certificate, private string, chain []*x509.Certificate, key func() crypto.Signer) error {
	raw, err := x509.MarshalPKCS8PrivateKey(key())
	if err != nil {
		return fmt.Errorf("encoding %s: %w", private, err)
	}
	data[certificate] = encodeCertificates(chain)
	data[private] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	return nil
}

func decodePair(data map[string][]byte, certificate, private string) ([]*x509.Certificate, func() crypto.Signer, error) {
	pair, err := tls.X509KeyPair(data[certificate], data[private])
	if err != nil {
		return nil, nil, fmt.Errorf("%s and %s are not a certificate and its key: %w", certificate, private, err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, nil, errors.New(private + " cannot sign")
	}
	var chain []*x509.Certificate
	for _, raw := range pair.Certificate {
		link, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", certificate, err)
		}
		chain = append(chain, link)
	}
	return chain, func() crypto.Signer { return key }, nil
}

func encodeCertificates(certificates []*x509.Certificate) []byte {
	var text bytes.Buffer
	for _, certificate := range certificates {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	}
	return text.Bytes()
}

// decodeCertificates gives the authorities in a bundle. What is none is passed over: the bundle is made anew from the rest.
func decodeCertificates(text []byte) []*x509.Certificate {
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err == nil && certificate.IsCA && !slices.ContainsFunc(certificates, certificate.Equal) {
			certificates = append(certificates, certificate)
		}
	}
	return certificates
}
