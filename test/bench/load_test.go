// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/stop"
)

// connections is how many clients call at once.
const connections = 16

// figures are what a handler did in one round.
type figures struct {
	perSecond float64
	p50, p99  time.Duration
	// alone is the time of one call without HTTP, on one core.
	alone time.Duration
}

// measure serves a handler over loopback, has clients call it for a time, and then calls it alone for a fifth of that.
func measure(t testing.TB, handler http.Handler, call call, during time.Duration) figures {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	ctx, cancel := context.WithCancel(t.Context())
	var serving errgroup.Group
	serving.Go(func() error { return server.Serve(ctx, listener, handler, stop.Plan{Grace: time.Second}) })

	durations := make([][]time.Duration, connections)
	var clients errgroup.Group
	began := time.Now()
	for i := range durations {
		clients.Go(func() (err error) {
			durations[i], err = client(listener.Addr().String(), call, began.Add(during))
			return err
		})
	}
	if err := clients.Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	cancel()
	if err := serving.Wait(); err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(durations...)
	slices.Sort(all)
	return figures{
		perSecond: float64(len(all)) / took.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100],
		alone: alone(call.again(handler), during/5),
	}
}

// client calls over one connection, one call after the other, and gives the time that each took.
func client(address string, call call, until time.Time) ([]time.Duration, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	wire, reader := call.wire(), bufio.NewReader(connection)
	var durations []time.Duration
	for {
		began := time.Now()
		if began.After(until) {
			return durations, nil
		}
		if _, err := connection.Write(wire); err != nil {
			return nil, err
		}
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("got %s, %w", answer.Status, err)
		}
		durations = append(durations, time.Since(began))
	}
}

func alone(ask func() int, during time.Duration) time.Duration {
	calls, began := 0, time.Now()
	for calls == 0 || time.Since(began) < during {
		ask()
		calls++
	}
	return time.Since(began) / time.Duration(calls)
}
