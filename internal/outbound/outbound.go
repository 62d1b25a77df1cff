// SPDX-License-Identifier: Apache-2.0

// Package outbound makes the HTTP clients with which a role calls another service: bounded in time, in connections and in what
// is read of an answer, and with certificates that are read anew, so that a CA may be replaced without a restart.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 3 * time.Second
	idleConnTimeout  = 90 * time.Second
	// connsPerHost may wait for the next request. A burst beyond it dials.
	connsPerHost = 64
)

// ErrTooLarge: an answer is longer than its reader allows.
var ErrTooLarge = errors.New("the answer is too large")

// NewTransport makes a transport that trusts the certificates in a file of PEM, or those of the system where caFile is empty. The
// file is read for every new connection: whoever replaces it is followed, and while it is unusable no connection is made. No
// proxy of the environment stands in between: what is called is a service of one's own.
func NewTransport(caFile string) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: handshakeTimeout,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: connsPerHost,
		IdleConnTimeout:     idleConnTimeout,
	}
	if caFile != "" {
		transport.DialTLSContext = dialTrusting(dialer, caFile)
	}
	return transport
}

func dialTrusting(dialer *net.Dialer, caFile string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		roots, err := ReadRoots(caFile)
		if err != nil {
			return nil, err
		}
		secure := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: roots, NextProtos: []string{"h2", "http/1.1"},
		}}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout+handshakeTimeout)
		defer cancel()
		conn, err := secure.DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("connecting with the certificates of %s: %w", caFile, err)
		}
		return conn, nil
	}
}

// ReadRoots reads a file of PEM certificates.
func ReadRoots(file string) (*x509.CertPool, error) {
	content, err := os.ReadFile(file) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}

// NewClient makes a client for short calls of at most that time each, the body included. It follows no redirect: what was
// configured is what is asked, and nobody else is told what it is asked with.
func NewClient(caFile string, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport:     NewTransport(caFile),
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ReadBody reads an answer's body of at most limit bytes, and closes it.
func ReadBody(response *http.Response, limit int64) ([]byte, error) {
	defer response.Body.Close() //nolint:errcheck // it was read, or is given up
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case int64(len(body)) > limit:
		return nil, ErrTooLarge
	default:
		return body, nil
	}
}
