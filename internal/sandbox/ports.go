// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/claviger/claviger/internal/sandbox/loopback"
)

// ports are open before anything runs, so that everything can be told where everything is.
type ports struct {
	public, connect, application, metrics net.Listener
}

// open opens the token service's address, and for the connect role and the third-party application the two ports after it, so that
// they too are the same after a restart. Port 0 makes each any free one.
func (p *ports) open(ctx context.Context, listen string) error {
	for offset, port := range []struct {
		of       string
		listener *net.Listener
	}{{"the token service", &p.public}, {"the connect role", &p.connect}, {"the third-party application", &p.application}} {
		address, err := after(listen, offset)
		if err != nil {
			return err
		}
		if *port.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
			return fmt.Errorf("opening the port of %s (--listen 127.0.0.1:0 takes any free one): %w", port.of, err)
		}
	}
	var err error
	if p.metrics, err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(loopback.Address, "0")); err != nil {
		return fmt.Errorf("opening the metrics port: %w", err)
	}
	return nil
}

// after gives an address with a port that many later.
func after(address string, offset int) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("--listen: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil || number == 0 {
		return address, nil //nolint:nilerr // a port may have a name; who opens it says whether it has
	}
	return net.JoinHostPort(host, strconv.Itoa(number+offset)), nil
}

func (p *ports) close() {
	for _, listener := range []net.Listener{p.public, p.connect, p.application, p.metrics} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}
