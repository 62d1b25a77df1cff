// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"github.com/claviger/claviger/internal/server/source"
)

// Upstream is what the gate guards, and how it is called.
type Upstream struct {
	// Scheme and Host are those of its URL, without a path: paths pass as they come.
	Scheme, Host string
	Transport    http.RoundTripper
	// ForwardAuthorization lets the upstream see the token.
	ForwardAuthorization bool
	// PreserveHost lets the upstream see the caller's Host instead of its own.
	PreserveHost bool
	// TrustedProxies may say where a call came from. What others say of that is taken away.
	TrustedProxies source.Proxies
}

func (g *Gate) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		Transport:      g.Metrics.timed(g.Upstream.Transport, g.Now),
		FlushInterval:  -1,
		ModifyResponse: g.answered,
		ErrorHandler:   g.failed,
		ErrorLog:       log.New(quiet{}, "", 0),
		BufferPool:     &buffers{},
	}
}

// rewrite makes the upstream's request of the caller's. Headers that Connection names are gone from it already, and what is
// set here stays.
func (g *Gate) rewrite(r *httputil.ProxyRequest) {
	out := r.Out
	out.URL.Scheme, out.URL.Host = g.Upstream.Scheme, g.Upstream.Host
	// As it came: nothing here is decided by the query, so there is nothing that two could read differently.
	out.URL.RawQuery = r.In.URL.RawQuery
	if !g.Upstream.PreserveHost {
		out.Host = ""
	}
	if upgrade := out.Header.Get("Upgrade"); upgrade != "" && !strings.EqualFold(upgrade, "websocket") {
		// Any other protocol, h2c above all, would carry further requests past the gate.
		out.Header.Del("Upgrade")
		out.Header.Del("Connection")
	}
	trusted := g.Upstream.TrustedProxies.TrustPeer(r.In)
	g.stripHeaders(out.Header, trusted)
	setForwarded(r, trusted)
	// The account that was judged is the one that the upstream sees, whatever Connection says of that header.
	if accounts := r.In.Header.Values(g.AccountHeader); len(accounts) > 0 {
		out.Header[http.CanonicalHeaderKey(g.AccountHeader)] = accounts
	}
	if c := callOf(r.In.Context()); c != nil {
		setIdentity(out.Header, c.access)
	}
	g.passTrailers(r.In, out)
}

func setForwarded(r *httputil.ProxyRequest, trusted bool) {
	if !trusted {
		r.SetXForwarded()
		return
	}
	in, out := r.In.Header, r.Out.Header
	out["X-Forwarded-For"] = in["X-Forwarded-For"] // SetXForwarded adds to it
	r.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"} {
		if said := in[name]; len(said) > 0 {
			out[name] = said
		}
	}
}

// answered looks at an answer of the upstream before it is passed on.
func (g *Gate) answered(response *http.Response) error {
	c := callOf(response.Request.Context())
	if c == nil {
		return nil
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		g.calls.stream(c)
		return nil
	}
	if response.ContentLength < 0 {
		g.calls.stream(c)
	}
	c.closeAfter(response.Header)
	return nil
}

// failed answers where the upstream does not.
func (g *Gate) failed(w http.ResponseWriter, r *http.Request, err error) {
	if c := callOf(r.Context()); c != nil {
		c.closeAfter(w.Header())
	}
	var ended *endedError
	switch cause := context.Cause(r.Context()); {
	case errors.As(cause, &ended):
		g.answer(w, ended.verdict)
	case errors.Is(cause, errShutdown):
		unavailable(w, "the gate is stopping; try again")
	case r.Context().Err() != nil: // the caller has gone
		g.Metrics.failures.WithLabelValues(failureCanceled).Inc()
		panic(http.ErrAbortHandler)
	default:
		g.upstreamFailed(w, err)
	}
}

func (g *Gate) upstreamFailed(w http.ResponseWriter, err error) {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		g.Metrics.failures.WithLabelValues(failureTimeout).Inc()
		g.Log.Info("The upstream did not answer in time")
		upstreamTimeout(w)
		return
	}
	var unreachable *net.OpError
	if errors.As(err, &unreachable) && unreachable.Op == "dial" {
		g.Metrics.failures.WithLabelValues(failureUnreachable).Inc()
		g.Log.Info("The upstream cannot be reached", "reason", unreachable.Error())
	} else { // its error may quote what the upstream said
		g.Metrics.failures.WithLabelValues(failureBroken).Inc()
		g.Log.Info("The upstream, or the caller's body, broke off")
	}
	upstreamUnreachable(w)
}

// buffers lends the memory through which bodies pass.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buffer []byte) {
	if len(buffer) == bufferSize {
		b.pool.Put((*[bufferSize]byte)(buffer))
	}
}

// quiet drops what ReverseProxy complains of: that a caller or an upstream went away while a body passed, which metrics count,
// with texts that may quote either of them.
type quiet struct{}

func (quiet) Write(line []byte) (int, error) { return len(line), nil }

// timedTransport measures how long the upstream takes until its answer begins.
type timedTransport struct {
	next    http.RoundTripper
	metrics *Metrics
	now     func() time.Time
}

func (t *timedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	begin := t.now()
	response, err := t.next.RoundTrip(r)
	if err == nil {
		t.metrics.upstream.WithLabelValues(class(response.StatusCode)).Observe(t.now().Sub(begin).Seconds())
	}
	return response, err //nolint:wrapcheck // ReverseProxy looks at it
}
