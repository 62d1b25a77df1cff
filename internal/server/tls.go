// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"net"
)

// suites are those of TLS 1.2 that have forward secrecy and authenticate what they encrypt, in no order: crypto/tls prefers what
// is fast and safe. Left out of what it would offer are those with CBC. The suites of TLS 1.3 are all good and not for choosing.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// GetCertificate gives the certificate for a handshake.
type GetCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// Secure makes a port speak TLS of a version or later, and HTTP/2 as well as HTTP/1.1. Every handshake gets the certificate
// that there is at the time; a session that is resumed needs none. The time that a handshake may take is bounded by Serve.
func Secure(listener net.Listener, certificate GetCertificate, minVersion uint16) net.Listener {
	return tls.NewListener(listener, &tls.Config{
		GetCertificate: certificate,
		MinVersion:     minVersion,
		CipherSuites:   suites,
		NextProtos:     []string{"h2", "http/1.1"},
	})
}
