// SPDX-License-Identifier: Apache-2.0

// Workload is what runs in pods of the end-to-end tests: clients that know nothing but what is mounted, what is guarded, and a load. It
// prints what it has seen so far as one line of JSON a second, and a last one at its end.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"github.com/claviger/claviger/test/e2e/seen"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		os.Exit(1) //nolint:gocritic // there is nothing left to stop
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("workload", flag.ContinueOnError)
	dir := flags.String("dir", "/var/run/claviger", "folder with client_id, token_url, ca.crt, and client_secret or token")
	url := flags.String("url", "", "what to call with tokens")
	every := flags.Float64("rate", 2, "how often a second each kind of request is made")
	within := flags.Duration("for", 10*time.Minute, "how long at most")
	count := flags.Int("count", 20000, "how many requests of each kind at most")
	if len(args) == 0 {
		return errors.New("what to do: echo, token, client or load")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, *within)
	defer cancel()
	limits := bounds{rate: rate.Limit(*every), count: *count}
	switch args[0] {
	case "echo":
		return echo(ctx)
	case "token":
		return once(ctx, *dir)
	case "client":
		return client(ctx, *dir, *url, limits)
	case "load":
		return load(ctx, *dir, *url, limits)
	default:
		return fmt.Errorf("%q is neither echo, token, client nor load", args[0])
	}
}

// echo is what is guarded: it tells who calls.
func echo(ctx context.Context) error {
	server := &http.Server{Addr: "127.0.0.1:9000", ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Header.Get("X-Claviger-Client-Id"))
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// once takes one token by what is mounted, and fails with the error of the answer.
func once(ctx context.Context, dir string) error {
	tenant := &tenant{dir: dir}
	_, err := tenant.token(ctx)
	return err
}

// client is a workload as it should be: it takes what is mounted at the moment, a token for it, and calls what is guarded.
func client(ctx context.Context, dir, url string, limits bounds) error {
	tenant, told := &tenant{dir: dir}, &seen.Record{}
	return limits.report(ctx, told, func(ctx context.Context) {
		token, err := tenant.token(ctx)
		told.Note(&told.Issued, err)
		told.Changes(tenant.changes)
		if err == nil {
			told.Note(&told.Called, tenant.call(ctx, url, token))
		}
	})
}

// load takes tokens and has them verified, each at the rate that is said, however long the other takes.
func load(ctx context.Context, dir, url string, limits bounds) error {
	told := &seen.Record{}
	var mutex sync.Mutex
	var latest string
	takes, checks := &tenant{dir: dir}, &tenant{dir: dir}
	return limits.report(ctx, told, func(ctx context.Context) {
		token, err := takes.token(ctx)
		told.Note(&told.Issued, err)
		if err == nil {
			mutex.Lock()
			latest = token
			mutex.Unlock()
		}
	}, func(ctx context.Context) {
		mutex.Lock()
		token := latest
		mutex.Unlock()
		if token != "" {
			told.Note(&told.Verified, checks.call(ctx, url, token))
		}
	})
}

// bounds are those of a load.
type bounds struct {
	rate  rate.Limit
	count int
}

// report does each thing again and again within the bounds, and prints what was seen.
func (b bounds) report(ctx context.Context, told *seen.Record, things ...func(context.Context)) error {
	var group sync.WaitGroup
	for _, thing := range things {
		group.Go(func() {
			limiter := rate.NewLimiter(b.rate, 1)
			for range b.count {
				if limiter.Wait(ctx) != nil {
					return
				}
				// A request that is under way at the end is none that failed.
				thing(context.WithoutCancel(ctx))
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			told.Print(os.Stdout)
		case <-done:
			told.Print(os.Stdout)
			return nil
		}
	}
}

// answerError is what an answer says.
type answerError struct {
	status int
	Code   string `json:"error"`
	Text   string `json:"error_description"`
}

func (e *answerError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s: %s", e.status, e.Code, e.Text))
}

func refusal(answer *http.Response) error {
	refused := &answerError{status: answer.StatusCode}
	_ = json.NewDecoder(answer.Body).Decode(refused) // what else an answer holds says nothing here
	return refused
}
