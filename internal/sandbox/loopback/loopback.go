// SPDX-License-Identifier: Apache-2.0

// Package loopback finds addresses on loopback for programs that must be told a port before they open it.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
)

// Address is where everything of a sandbox listens.
const Address = "127.0.0.1"

// The ports to choose from lie below those that Linux, macOS and RFC 6335 section 6 give to connections that go out, and
// to listeners that ask for any port. Between finding a port and opening it nobody takes it by accident, and a program that
// was killed finds its port free again.
const (
	firstPort = 10240
	lastPort  = 32767
	// attempts bounds how many ports are tried for one that is free.
	attempts = 1000
)

// FreePorts finds n different ports that nobody listens on.
func FreePorts(ctx context.Context, n int) ([]string, error) {
	var listen net.ListenConfig
	ports := make([]string, 0, n)
	for range attempts {
		if len(ports) == n {
			return ports, nil
		}
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort+1)) //nolint:gosec // a port is no secret
		listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort(Address, port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer listener.Close() //nolint:errcheck // only the number was wanted; all are held until the last is found, so they differ
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("finding a free port: the %d that were tried on %s are taken", attempts, Address)
}

// FreeAddress finds an address, host:port, that nobody listens on.
func FreeAddress(ctx context.Context) (string, error) {
	ports, err := FreePorts(ctx, 1)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(Address, ports[0]), nil
}
