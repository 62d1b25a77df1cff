// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/server/gate"
)

func TestNewUpstream(t *testing.T) {
	for text, good := range map[string]bool{
		"http://127.0.0.1:9000": true, "https://orders.acme.svc": true, "http://[::1]:9000/": true, "unix:///run/app.sock": true,
		"": false, "orders": false, "ftp://x": false, "http://": false, "http://x/path": false, "http://x?q": false, "http://x?": false,
		"http://user@x": false, "http://x#f": false, "unix:app.sock": false, "unix://host/app.sock": false, "http://%": false,
	} {
		if _, err := gate.NewUpstream(text, outbound.NewTransport(""), time.Second); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnUpstreamOnASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var upstream seen
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(upstream.serve)}}
	server.Start()
	defer server.Close()
	w := newWorld(t, upstream.serve)
	w.registry = newRegistry()
	w.serve(t, "unix://"+path)
	if response, body := w.do(t, w.request(t, http.MethodGet, "/orders", nil)); response.StatusCode != http.StatusOK || body != "upstream" {
		t.Errorf("got %d %q", response.StatusCode, body)
	}
	if got := upstream.Load(); got.Host != "localhost" || got.RequestURI != "/orders" {
		t.Errorf("it sees %s %s", got.Host, got.RequestURI)
	}
}

// broken is a transport that fails.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

func TestWhenTheUpstreamFails(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "http://" + listener.Addr().String()
	_ = listener.Close()
	for _, row := range []struct {
		name, reason string
		status       int
		transport    http.RoundTripper
		body         string
	}{
		{name: "it does not listen", status: 502, reason: "unreachable", body: `"error":"bad_gateway"`},
		{name: "it does not answer in time", status: 504, reason: "timeout", transport: broken{context.DeadlineExceeded}, body: `"error":"gateway_timeout"`},
		{name: "it says what is not HTTP", status: 502, reason: "broken", transport: broken{errors.New("malformed HTTP response secret")}, body: `"error":"bad_gateway"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
			w.registry = newRegistry()
			w.serve(t, nowhere, func(o *gate.Options) {
				if row.transport != nil {
					o.Upstream.Transport = row.transport
				}
			})
			response, body := w.do(t, w.request(t, http.MethodPost, "/", strings.NewReader("body")))
			if response.StatusCode != row.status || !strings.Contains(body, row.body) || response.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("got %d %s %v", response.StatusCode, body, response.Header)
			}
			if w.metric(t, "claviger_gate_upstream_failures_total", row.reason) != 1 {
				t.Errorf("it is not counted as %s", row.reason)
			}
			if strings.Contains(w.told()+body, "secret") || w.Open() != 0 {
				t.Errorf("told: %s", w.told())
			}
		})
	}
}

// TestTheUpstreamBreaksOff: half an answer must not look like a whole one.
func TestTheUpstreamBreaksOff(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	response, err := w.client.Do(w.request(t, http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("got %q and no error", body)
	}
}

// TestTheCallerGoesAway: so does the call to the upstream.
func TestTheCallerGoesAway(t *testing.T) {
	arrived, gone := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if response, err := w.client.Do(w.request(t, http.MethodGet, "/", nil).WithContext(ctx)); err == nil {
		_ = response.Body.Close()
		t.Error("there was an answer")
	}
	<-gone
}
