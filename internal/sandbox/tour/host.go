// SPDX-License-Identifier: Apache-2.0

package tour

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/sandbox/loopback"
)

// host is the page of the platform that a sign-in ends at.
type host struct {
	origin string
	server *http.Server
}

func startHost(ctx context.Context) (*host, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(loopback.Address, "0"))
	if err != nil {
		return nil, fmt.Errorf("starting the platform's page: %w", err)
	}
	h := &host{origin: "http://" + listener.Addr().String()}
	h.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintln(w, "<!DOCTYPE html><html lang=en><title>The platform</title><h1>Welcome back</h1></html>")
	})}
	go func() { _ = h.server.Serve(listener) }()
	return h, nil
}

func (h *host) stop() { _ = h.server.Close() }
