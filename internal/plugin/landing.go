// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

const (
	// lingering is how long a browser that is on its way is waited for.
	lingering = 2 * time.Second
	// landingText is what the user reads at the end.
	landingText = "You can close this window and go back to the terminal.\n"
)

// signInError is what the end of a sign-in was told: RFC 6749 section 4.1.2.1.
type signInError struct{ code, description string }

func (e *signInError) Error() string {
	text := "the sign-in has failed: " + plain(cmp.Or(e.description, e.code))
	if e.description != "" {
		text += " (" + plain(e.code) + ")"
	}
	return text
}

// landing is the page that a sign-in ends at, where that is this machine: it learns of a failure, which nothing else would tell.
type landing struct {
	cancel context.CancelCauseFunc
	server *http.Server
	landed chan struct{}
	once   sync.Once
}

// listen serves the target where it is on loopback. Where it is not, or somebody listens there already, the browser ends at that page,
// and only the connection itself says what has happened. The context that it gives ends with the one it was given, or with a
// signInError as its cause.
func listen(ctx context.Context, target string) (context.Context, *landing) {
	l := &landing{landed: make(chan struct{})}
	ctx, l.cancel = context.WithCancelCause(ctx)
	address, isHTTP := loopbackAddress(target)
	if !isHTTP || !oauth.IsLoopbackAddress(address) {
		return ctx, l
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return ctx, l
	}
	l.server = &http.Server{Handler: l, ReadHeaderTimeout: patience}
	go func() { _ = l.server.Serve(listener) }()
	return ctx, l
}

// loopbackAddress gives the address of a plain-HTTP URL, the only kind that this machine can serve without a certificate.
func loopbackAddress(target string) (string, bool) {
	parsed, err := url.Parse(target)
	if err != nil || parsed.Scheme != "http" || parsed.Host == "" {
		return "", false
	}
	return net.JoinHostPort(parsed.Hostname(), cmp.Or(parsed.Port(), "80")), true
}

// ServeHTTP takes the browser back. What it brings is believed only where it is bad: the connection says whether it went well.
func (l *landing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet || r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	query := r.URL.Query()
	text := "The sign-in is complete. "
	if code := query.Get("error"); code != "" {
		text = "The sign-in has failed; the terminal says why. "
		defer l.cancel(&signInError{code: code, description: query.Get("error_description")})
	}
	_, _ = w.Write([]byte(text + landingText))
	l.once.Do(func() { close(l.landed) })
}

// linger waits a moment for the browser, which may be slower than the API server.
func (l *landing) linger(ctx context.Context) {
	if l.server == nil {
		return
	}
	select {
	case <-l.landed:
	case <-ctx.Done():
	case <-time.After(lingering):
	}
}

// close ends the page when those who read it have it.
func (l *landing) close(ctx context.Context) {
	l.cancel(errors.New("done"))
	if l.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lingering)
	defer cancel()
	_ = l.server.Shutdown(ctx)
}
