// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/claviger/claviger/internal/server/stop"
)

// drainPoll is how often connections that the HTTP server has given away are counted while it stops.
const drainPoll = 50 * time.Millisecond

// lastWords bounds how long calls that were ended may take to end.
const lastWords = time.Second

// Streamer is a handler whose calls may last, some on connections that the HTTP server has given away. It lifts the bounds in time
// from those that may.
type Streamer interface {
	http.Handler
	// Open counts the calls under way.
	Open() int64
	// EndAll ends them.
	EndAll()
}

// ServeStreams serves calls that may last until the context ends and it has stopped as it is told to. It ends what is left at the end of
// the grace: a stream need have no end of its own. Every request has the limits of Serve until its handler lifts them.
func ServeStreams(ctx context.Context, listener net.Listener, handler Streamer, plan stop.Plan) error {
	server := bounded(ctx, handler)
	stopped := make(chan error, 1)
	go func() {
		plan.Linger(ctx)
		stopped <- drain(context.WithoutCancel(ctx), server, handler, plan.Grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", listener.Addr(), err)
	}
	return <-stopped
}

func drain(ctx context.Context, server *http.Server, handler Streamer, grace time.Duration) error {
	deadline, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if server.Shutdown(deadline) == nil && emptied(deadline, handler) {
		return nil
	}
	handler.EndAll()
	last, cancelLast := context.WithTimeout(ctx, lastWords)
	defer cancelLast()
	emptied(last, handler)
	if err := server.Close(); err != nil {
		return fmt.Errorf("closing connections: %w", err)
	}
	return nil
}

// emptied waits until no call is under way, and reports whether that came before the deadline.
func emptied(ctx context.Context, handler Streamer) bool {
	poll := time.NewTicker(drainPoll)
	defer poll.Stop()
	for handler.Open() > 0 {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
