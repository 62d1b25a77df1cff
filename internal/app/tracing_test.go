// SPDX-License-Identifier: Apache-2.0

package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/server/source"
)

// receiver takes traces, as a collector does.
type receiver struct {
	*httptest.Server
	mutex sync.Mutex
	raw   strings.Builder
	spans []*tracev1.Span
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		var export collector.ExportTraceServiceRequest
		if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
			t.Errorf("got %s, %v", request.URL.Path, err)
			return
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.raw.WriteString(export.String())
		for _, resource := range export.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				r.spans = append(r.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// traced is a token service that sends its traces to an endpoint and writes its audit log to a builder.
func traced(t *testing.T, options TraceOptions, log *strings.Builder) (http.Handler, func()) {
	t.Helper()
	if err := options.complete(); err != nil {
		t.Fatal(err)
	}
	provider, flush, err := options.provider(t.Context(), "claviger-token-service")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := oauth.ParseIssuerURL("https://auth.example.com", false)
	if err != nil {
		t.Fatal(err)
	}
	proxies := source.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	api := &oauthapi.API{
		Issuer:        &issuer.Service{Directory: &kube.Directory{}, Keys: &kube.Keys{}},
		AccountHeader: "X-Account",
		Proxies:       proxies,
		Metrics:       oauthapi.NewMetrics(prometheus.NewRegistry()),
		Audit:         audit.NewLog(funcr.New(func(_, args string) { log.WriteString(args) }, funcr.Options{})),
	}
	access := server.Access{Tracing: server.Tracing{Proxies: proxies}}
	if provider != nil {
		access.Tracing.Provider = provider
	}
	return server.Routes(api, parsed, access, func() bool { return true }), flush
}

const (
	canary      = "canary-0123456789"
	callersID   = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent = "00-" + callersID + "-00f067aa0ba902b7-01"
)

// hostile has a secret wherever a caller can put one.
func hostile(path string) *http.Request {
	r := httptest.NewRequest("GET"+canary, path+"?token="+canary, strings.NewReader("client_secret="+canary))
	r.Host = canary
	r.RemoteAddr = "10.0.0.1:4711"
	for name, value := range map[string]string{
		"User-Agent": canary, "Authorization": "Bearer " + canary, "X-Forwarded-For": canary + ", 192.0.2.1", "X-Account": canary,
		"Baggage": "secret=" + canary, "Referer": canary, "Traceparent": traceparent,
	} {
		r.Header.Set(name, value)
	}
	return r
}

// TestTraces: a span arrives at a receiver before the process ends, as part of the caller's trace, and has nothing that the caller
// wrote. Nor has one of a path that is none of ours, for there is none.
func TestTraces(t *testing.T) {
	receiver, log := newReceiver(t), &strings.Builder{}
	handler, flush := traced(t, TraceOptions{Endpoint: receiver.URL, SampleRatio: 0}, log)
	for _, path := range []string{"/verify", "/oauth/token", "/" + canary} {
		handler.ServeHTTP(httptest.NewRecorder(), hostile(path))
	}
	flush()
	if len(receiver.spans) != 2 {
		t.Fatalf("got %d spans", len(receiver.spans))
	}
	told := receiver.raw.String()
	if strings.Contains(told, canary) || strings.Contains(log.String(), canary) {
		t.Error("what the caller wrote is told")
	}
	for _, want := range []string{"claviger-token-service", "192.0.2.1", "/verify", "service.version"} {
		if !strings.Contains(told, want) {
			t.Errorf("%s is not told", want)
		}
	}
	span := receiver.spans[0]
	if span.Name != "verify" || hex(span.TraceId) != callersID || hex(span.ParentSpanId) != "00f067aa0ba902b7" {
		t.Errorf("got span %s of trace %x below %x", span.Name, span.TraceId, span.ParentSpanId)
	}
	if !strings.Contains(log.String(), `"source"="192.0.2.1" "traceID"="`+callersID+`"`) {
		t.Errorf("the audit log has %s", log)
	}
}

func hex(id []byte) string {
	const digits = "0123456789abcdef"
	var text strings.Builder
	for _, b := range id {
		text.WriteByte(digits[b>>4])
		text.WriteByte(digits[b&15])
	}
	return text.String()
}

// TestNoTraces: without an endpoint there is no span, and the audit log has the caller's trace still.
func TestNoTraces(t *testing.T) {
	log := &strings.Builder{}
	handler, flush := traced(t, TraceOptions{SampleRatio: 1}, log)
	handler.ServeHTTP(httptest.NewRecorder(), hostile("/verify"))
	flush()
	if !strings.Contains(log.String(), `"traceID"="`+callersID+`"`) {
		t.Errorf("the audit log has %s", log)
	}
}

// TestTracesOfACallerThatBeginsNone are recorded by the ratio.
func TestTracesOfACallerThatBeginsNone(t *testing.T) {
	for ratio, want := range map[float64]int{0: 0, 1: 1} {
		receiver := newReceiver(t)
		handler, flush := traced(t, TraceOptions{Endpoint: receiver.URL, SampleRatio: ratio}, &strings.Builder{})
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/verify", http.NoBody))
		flush()
		if len(receiver.spans) != want {
			t.Errorf("at %v: got %d spans, want %d", ratio, len(receiver.spans), want)
		}
	}
}

// TestReceiverIsAway: that costs spans, and neither a request nor the end of the process.
func TestReceiverIsAway(t *testing.T) {
	receiver := newReceiver(t)
	receiver.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
	var errors []string
	ctx := logr.NewContext(t.Context(), funcr.New(func(_, args string) { errors = append(errors, args) }, funcr.Options{}))
	options := TraceOptions{Endpoint: receiver.URL, SampleRatio: 1}
	provider, flush, err := options.provider(ctx, "claviger-token-service")
	if err != nil {
		t.Fatal(err)
	}
	_, span := provider.Tracer("test").Start(ctx, "test")
	span.End()
	flush()
	if len(errors) == 0 || strings.Contains(strings.Join(errors, ""), canary) {
		t.Errorf("told %q", errors)
	}
}

func TestTraceOptions(t *testing.T) {
	for _, row := range []struct {
		name     string
		options  TraceOptions
		endpoint string
		wrong    string
	}{
		{"none", TraceOptions{}, "", ""},
		{"a URL without path", TraceOptions{Endpoint: "http://collector:4318"}, "http://collector:4318/v1/traces", ""},
		{"a URL that ends in a slash", TraceOptions{Endpoint: "https://collector/"}, "https://collector/v1/traces", ""},
		{"a path of its own", TraceOptions{Endpoint: "https://collector/otlp/v1/traces"}, "https://collector/otlp/v1/traces", ""},
		{"an address without scheme", TraceOptions{Endpoint: "collector:4317"}, "", "http or https"},
		{"another scheme", TraceOptions{Endpoint: "grpc://collector:4317"}, "", "http or https"},
		{"a password", TraceOptions{Endpoint: "https://user:" + canary + "@collector"}, "", "without user"},
		{"a key in the query", TraceOptions{Endpoint: "https://collector/?key=" + canary}, "", "without user"},
		{"no URL", TraceOptions{Endpoint: "http://%zz" + canary}, "", "not a URL"},
		{"too much", TraceOptions{SampleRatio: 1.1}, "", "--trace-sample-ratio"},
		{"less than nothing", TraceOptions{SampleRatio: -0.1}, "", "--trace-sample-ratio"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.options.complete()
			if row.wrong == "" && (err != nil || row.options.Endpoint != row.endpoint) {
				t.Errorf("got %v and %q", err, row.options.Endpoint)
			}
			if row.wrong != "" && (err == nil || !strings.Contains(err.Error(), row.wrong) || strings.Contains(err.Error(), canary)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
