// SPDX-License-Identifier: Apache-2.0

// Package server serves HTTP: routes, limits and a graceful stop.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"

	"github.com/claviger/claviger/internal/server/stop"
)

// Limits of every connection. Requests are small and answers immediate, so a client that needs longer is a hostile one.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// Serve serves until the context ends and it has stopped as it is told to.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, plan stop.Plan) error {
	return serve(ctx, listener, bounded(ctx, handler), plan)
}

// ServeWaiting is Serve for answers that wait for somebody else, for as long as is said.
func ServeWaiting(ctx context.Context, listener net.Listener, handler http.Handler, within time.Duration, plan stop.Plan) error {
	server := bounded(ctx, handler)
	server.WriteTimeout = within
	return serve(ctx, listener, server, plan)
}

func serve(ctx context.Context, listener net.Listener, server *http.Server, plan stop.Plan) error {
	stopped := make(chan error, 1)
	go func() {
		plan.Linger(ctx)
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), plan.Grace)
		defer cancel()
		stopped <- server.Shutdown(deadline)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stopping %s: requests were still under way after %s: %w", listener.Addr(), plan.Grace, err)
	}
	return nil
}

// bounded gives a server with the limits of every connection, which says farewell once the context has ended.
func bounded(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           stop.Farewell(ctx, handler),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(errorLog{logr.FromContextOrDiscard(ctx)}, "", 0),
	}
}

// errorLog passes the HTTP server's own complaints on. They speak of connections, which come to grief every day, and of
// panics, which must be seen. None holds a header or a body.
type errorLog struct{ logger logr.Logger }

func (e errorLog) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("http: panic serving")) {
		e.logger.Error(nil, "HTTP server", "complaint", string(line))
		return len(line), nil
	}
	e.logger.V(1).Info("HTTP server", "complaint", string(line))
	return len(line), nil
}
