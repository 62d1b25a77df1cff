// SPDX-License-Identifier: Apache-2.0

// Package egress calls the URLs that come from objects: those of providers, which whoever may write a Connector or an
// AccountConnector has a say in. They must not become a way to what only the cluster can reach, so an address is checked when it is
// dialled, after every name was resolved: a name that means something else the next time is of no use.
//
// What a call sends may be spent by it, as a refresh token is. So nothing is ever sent twice, and an error says whether anything was
// sent at all.
package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
)

// Options are what a Client is made of.
type Options struct {
	// AllowedNetworks may be dialled although they are not public, such as that of a provider of one's own. Whoever allows all
	// networks has no protection.
	AllowedNetworks []netip.Prefix
	// AllowHTTP allows URLs without TLS.
	AllowHTTP bool
	// Timeout bounds a call, its body included. Required. There is no other bound on when the header comes: an answer that is slow
	// tells more than none.
	Timeout time.Duration
	// CAFile holds the certificates that are trusted, in PEM, instead of those of the system. It is read for every connection.
	// Empty: those of the system.
	CAFile string
	// Resolver resolves names. Nil: that of the system.
	Resolver *net.Resolver
}

// Client calls URLs that come from objects. It is safe for concurrent use.
//
// There is no proxy, whatever the environment says: the proxy would dial what was not checked. No redirect is followed: it comes
// back as the answer that it is. Every port may be called: there are providers on 8443, and what listens at a public address is there
// for everybody.
type Client struct {
	options Options
	guard   guard
}

// New makes a client.
func New(options Options) *Client {
	return &Client{options: options, guard: newGuard(options.AllowedNetworks)}
}

// Do sends a request, once, and gives the answer, whose body the caller reads within a bound (outbound.ReadBody) and closes. The end
// of the request's context ends the call.
//
// An error is ErrForbidden, ErrUnresolved, ErrUnreachable, ErrUntrusted, ErrTimeout, ErrBroken or that of the context, and ErrNotSent
// as well where nothing of the request left. Its text is our own: it has neither the URL's path and query nor anything that the host
// said. So it is with the errors of the body.
func (c *Client) Do(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), c.options.Timeout)
	return (&call{client: c, cancel: cancel}).send(request.WithContext(ctx))
}

// DoOnce is Do for a request that cannot be taken back: the end of its context ends the call while nothing was sent, and no longer.
// From the first byte on only time ends it, the given one or the client's, whichever is shorter.
func (c *Client) DoOnce(request *http.Request, within time.Duration) (*http.Response, error) {
	caller := request.Context()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(caller), min(within, c.options.Timeout))
	sending := &call{client: c, cancel: cancel}
	stop := context.AfterFunc(caller, func() {
		if sending.gate.shut() {
			cancel()
		}
	})
	defer stop()
	if caller.Err() != nil {
		sending.gate.shut()
		cancel()
	}
	return sending.send(request.WithContext(ctx))
}

func (c *call) send(request *http.Request) (*http.Response, error) {
	response, err := c.roundTrip(request)
	if err != nil {
		c.cancel()
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, call: c, ctx: request.Context()}
	return response, nil
}
