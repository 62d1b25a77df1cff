// SPDX-License-Identifier: Apache-2.0

// Package stop has what serves end without a client noticing.
package stop

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/spf13/pflag"
)

// Plan is how something that serves ends once it is told to.
type Plan struct {
	// Delay is how long it goes on as before, but that every answer closes its connection: until those who spread requests over replicas
	// have heard of the end, and clients that keep connections have left. Nobody's request meets a connection that closes then.
	Delay time.Duration
	// Grace is how long requests under way may take to finish after that.
	Grace time.Duration
}

// Bind defines the flags of a plan. under says what is under way at the end.
func (p *Plan) Bind(flags *pflag.FlagSet, grace time.Duration, under string) {
	flags.DurationVar(&p.Delay, "shutdown-delay", 0, "how long to go on when the process is asked to stop: not ready, and with the end of each connection that is used, so that nobody is cut off; in a pod, a few seconds")
	flags.DurationVar(&p.Grace, "shutdown-grace", grace, "how long "+under+" may take to finish after that")
}

// Check reports what cannot be.
func (p *Plan) Check() error {
	if p.Delay < 0 || p.Grace < 0 {
		return errors.New("--shutdown-delay and --shutdown-grace must not be negative")
	}
	return nil
}

// Linger waits until the context has ended, and then for the delay.
func (p *Plan) Linger(ctx context.Context) {
	<-ctx.Done()
	time.Sleep(p.Delay)
}

// Farewell closes the connection of every answer once the context has ended: in HTTP/1.1 with this answer, in HTTP/2 with the last one
// under way. A request to switch protocols is left alone, because its answer says itself what becomes of the connection.
func Farewell(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
