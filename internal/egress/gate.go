// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"net"
	"sync/atomic"
)

// gate is what a request passes with its first byte, unless it was shut before. So whoever has shut it knows that nothing was sent
// and that nothing will be, whatever net/http's goroutines are still about. The zero value is open.
type gate struct{ state atomic.Int32 }

const (
	gateOpen int32 = iota
	gatePassed
	gateShut
)

var errShut = errors.New("the request was given up before it was sent")

// shut shuts the gate, and reports whether nothing has passed it.
func (g *gate) shut() bool {
	return g.state.CompareAndSwap(gateOpen, gateShut) || g.state.Load() == gateShut
}

// gated is a connection whose writes pass a gate. Of what httptrace tells, GotConn comes too early for that and WroteRequest too
// late: between them a request may have been written in part.
type gated struct {
	net.Conn
	gate *gate
}

// Write passes the gate before it writes, so that what is written is never taken for unsent. A first write that fails without a
// byte opens it again: a TCP socket took nothing, and a TLS record that it did not take in whole cannot be read by anybody (RFC 8446
// section 5.2).
func (c *gated) Write(p []byte) (int, error) {
	first := c.gate.state.CompareAndSwap(gateOpen, gatePassed)
	if !first && c.gate.state.Load() == gateShut {
		return 0, errShut
	}
	n, err := c.Conn.Write(p)
	if first && n == 0 && err != nil {
		c.gate.state.Store(gateOpen)
	}
	return n, err //nolint:wrapcheck // explain says what it means
}
