// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/gate"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const accountHeader = "X-Cyclr-Account"

// newRegistry is one for a second gate.
func newRegistry() *prometheus.Registry { return prometheus.NewRegistry() }

// world is a gate before an upstream, with a judge that does as a test says.
type world struct {
	*gate.Gate
	// URL is the gate's.
	URL      string
	upstream *httptest.Server
	client   *http.Client
	registry *prometheus.Registry

	mutex   sync.Mutex
	refused map[string]error // tokens that are not good, by token
	misled  error            // why the place itself admits nobody
	needs   []issuer.Need    // what the judge was asked for
	now     time.Time
	logged  strings.Builder
}

// newWorld has a gate that admits every token but those that a test refuses. They expire in an hour.
func newWorld(t *testing.T, upstream http.HandlerFunc, changes ...func(*gate.Options)) *world {
	t.Helper()
	w := &world{
		upstream: httptest.NewServer(upstream), registry: prometheus.NewRegistry(), refused: map[string]error{}, now: noon,
		client: &http.Client{Transport: &http.Transport{DisableCompression: true}},
	}
	t.Cleanup(w.upstream.Close)
	w.serve(t, w.upstream.URL, changes...)
	return w
}

func (w *world) serve(t *testing.T, upstream string, changes ...func(*gate.Options)) {
	t.Helper()
	called, err := gate.NewUpstream(upstream, outbound.NewTransport(""), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	log := funcr.NewJSON(w.log, funcr.Options{})
	options := gate.Options{
		Judge: w, Need: w.need, AccountHeader: accountHeader, Upstream: called, Patience: 30 * time.Second,
		Metrics: gate.NewMetrics(w.registry), Audit: audit.NewLog(log.WithName("audit")), Log: log, Now: w.clock,
	}
	for _, change := range changes {
		change(&options)
	}
	w.Gate = gate.New(options)
	front := httptest.NewServer(w.Gate)
	t.Cleanup(front.Close)
	w.URL = front.URL
}

// Authorize implements gate.Judge.
func (w *world) Authorize(_ context.Context, raw string, need issuer.Need) (issuer.Access, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.needs = append(w.needs, need)
	if err := w.refused[raw]; err != nil {
		return issuer.Access{}, err
	}
	access := issuer.Access{ClientID: "acme.orders", AccountID: "acme", Scopes: oauth.Scopes{"Webhook", "MCP"}, ExpiresAt: noon.Add(time.Hour)}
	if !w.now.Before(access.ExpiresAt) {
		return issuer.Access{}, oauth.InvalidToken(errors.New("expired"))
	}
	return access, nil
}

func (w *world) need() (issuer.Need, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return issuer.Need{Scopes: oauth.Scopes{"Webhook"}, Accounts: []string{"acme"}}, w.misled
}

func (w *world) set(change func()) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	change()
}

func (w *world) refuse(token string, err error) { w.set(func() { w.refused[token] = err }) }

func (w *world) advance(by time.Duration) { w.set(func() { w.now = w.now.Add(by) }) }

func (w *world) clock() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.now
}

func (w *world) log(line string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.logged.WriteString(line + "\n")
}

func (w *world) told() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.logged.String()
}

// review has the gate judge calls under way once, and returns when it has. A tick that was taken is a review that has begun,
// so the second one is taken when the first review is over.
func (w *world) review(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	tick, ended := make(chan time.Time), make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Review(ctx, tick)
	}()
	tick <- time.Time{}
	tick <- time.Time{}
	cancel()
	<-ended
}

// metric gives the value of a metric whose labels hold a value; 0 where there is none.
func (w *world) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			matches := label == ""
			for _, pair := range metric.GetLabel() {
				matches = matches || pair.GetValue() == label
			}
			if matches {
				return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

// request makes one with a token that is admitted.
func (w *world) request(t *testing.T, method, path string, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer good")
	return request
}

// answer is one whose body was read.
type answer struct {
	StatusCode      int
	Header, Trailer http.Header
}

// do sends a request and reads the answer.
func (w *world) do(t *testing.T, request *http.Request) (answer, string) {
	t.Helper()
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, response.Trailer}, string(body)
}

// seen is what an upstream saw of the last request.
type seen struct{ atomic.Pointer[http.Request] }

func (s *seen) serve(w http.ResponseWriter, r *http.Request) {
	s.Store(r.Clone(context.Background()))
	_, _ = io.WriteString(w, "upstream")
}
