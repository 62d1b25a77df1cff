// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// openPorts opens the public port of a role, and the one of its metrics and health unless that is switched off by "0": then it is
// nil.
func openPorts(ctx context.Context, publicAddress, metricsAddress string) (public, operations net.Listener, err error) {
	var listen net.ListenConfig
	if public, err = listen.Listen(ctx, "tcp", publicAddress); err != nil {
		return nil, nil, fmt.Errorf("opening the public port: %w", err)
	}
	if metricsAddress == "0" {
		return public, nil, nil
	}
	if operations, err = listen.Listen(ctx, "tcp", metricsAddress); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the metrics port: %w", err), public.Close())
	}
	return public, operations, nil
}
