// SPDX-License-Identifier: Apache-2.0

package tour

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/claviger/claviger/internal/sandbox/loopback"
)

// webhook is a sample of what a token guards: it asks /verify about every call, as a gateway would do for it.
type webhook struct {
	url    string
	server *http.Server
}

func startWebhook(ctx context.Context, verifyURL, account string) (*webhook, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort(loopback.Address, "0"))
	if err != nil {
		return nil, fmt.Errorf("starting the sample webhook: %w", err)
	}
	question := verifyURL + "?" + url.Values{"scope": {"Webhook"}, "account": {account}}.Encode()
	hook := &webhook{
		url: "http://" + listener.Addr().String() + "/orders",
		server: &http.Server{
			ReadHeaderTimeout: 5 * time.Second,
			Handler: guard(question, func(w http.ResponseWriter, caller string) {
				_, _ = fmt.Fprintf(w, "order received from %s\n", caller)
			}),
		},
	}
	go func() { _ = hook.server.Serve(listener) }()
	return hook, nil
}

func (w *webhook) stop() { _ = w.server.Close() }

// guard lets a call through only where the verify endpoint answers 200; any other answer goes back to the caller.
func guard(question string, serve func(w http.ResponseWriter, caller string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verdict, err := ask(r.Context(), question, r.Header.Values("Authorization"))
		if err != nil {
			http.Error(w, "the guard cannot be reached", http.StatusBadGateway)
			return
		}
		defer verdict.Body.Close() //nolint:errcheck // read only
		if verdict.StatusCode != http.StatusOK {
			w.Header()["Www-Authenticate"] = verdict.Header.Values("WWW-Authenticate")
			w.WriteHeader(verdict.StatusCode)
			return
		}
		serve(w, verdict.Header.Get("X-Claviger-Client-Id"))
	})
}

func ask(ctx context.Context, question string, authorization []string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, question, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header["Authorization"] = authorization
	return http.DefaultClient.Do(request)
}

// untilRefused waits, for at most the second that Claviger promises, until the token is refused. It counts looks, not time:
// on a machine that stands still for a while, so does the count.
func (t *tour) untilRefused(ctx context.Context) error {
	const looks, pause = 100, 10 * time.Millisecond
	for range looks {
		verdict, err := ask(ctx, t.place.VerifyURL+"?scope=Webhook&account="+sampleAccount, []string{"Bearer " + t.token})
		if err != nil {
			return err
		}
		_ = verdict.Body.Close()
		if verdict.StatusCode == http.StatusUnauthorized {
			return nil
		}
		time.Sleep(pause)
	}
	return errors.New("a second after the suspension the token still works")
}
