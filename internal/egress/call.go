// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/claviger/claviger/internal/outbound"
)

// call is one request, on a connection of its own.
//
// net/http sends some requests again without being asked. Over HTTP/1.1 it does so where a connection that was used before fails
// (persistConn.shouldRetryRequest): one without a body, one with GetBody of which it believes that nothing was written, and any that
// Request.isReplayable takes for harmless, such as one with an Idempotency-Key. Over HTTP/2 it does so, up to seven times, after a
// GOAWAY or a stream that the server reset (http2canRetryError). None of it happens to the first request of an HTTP/1.1 connection,
// and here there is no second: without keep-alive no connection waits to be used again, and HTTP/2 is not offered. It costs a
// handshake, at a rate of one token request an hour and grant. That GetBody is taken away is a second reason.
type call struct {
	client *Client
	gate   gate
	cancel context.CancelFunc
}

func (c *call) roundTrip(request *http.Request) (*http.Response, error) {
	if err := c.client.admit(request.URL); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	request.GetBody = nil // of the copy that this is
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	// The transport itself and no http.Client, which would quote the whole URL in its errors, and a Location that it cannot read.
	transport := &http.Transport{
		DialContext:            c.dial,
		DialTLSContext:         c.dialTLS,
		Protocols:              protocols,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
	response, err := transport.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
		// Nobody asked for it, and net/http takes it for the end of HTTP: the context would no longer end what is read.
		_ = response.Body.Close()
		return nil, ErrBroken
	}
	if err == nil {
		return response, nil
	}
	err = explain(request.Context(), err)
	if !c.gate.shut() {
		return nil, err
	}
	if errors.Is(err, ErrBroken) {
		err = ErrUnreachable // nothing was asked, so there was no answer either
	}
	return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
}

func (c *call) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &gated{Conn: conn, gate: &c.gate}, nil
}

func (c *call) connect(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: c.client.options.Resolver, Control: c.client.guard.control}
	return dialer.DialContext(ctx, network, address) //nolint:wrapcheck // explain says what it means
}

// dialTLS shakes hands itself, so that the gate is above TLS: the handshake is nothing of the request.
func (c *call) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, refuse("the URL has no host")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, NextProtos: []string{"http/1.1"}}
	if file := c.client.options.CAFile; file != "" {
		if config.RootCAs, err = outbound.ReadRoots(file); err != nil {
			return nil, &handshakeError{cause: errNoRoots}
		}
	}
	conn, err := c.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &handshakeError{cause: err}
	}
	return &gated{Conn: secure, gate: &c.gate}, nil
}

// body is that of an answer. It ends the call when it is closed.
type body struct {
	io.ReadCloser
	call *call
	ctx  context.Context // the one that the call has: a body is read without another
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, explain(b.ctx, err)
	}
	return n, err //nolint:wrapcheck // io.EOF is compared and never wrapped
}

func (b *body) Close() error {
	defer b.call.cancel()
	return b.ReadCloser.Close()
}
