// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/claviger/claviger/internal/server/source"
)

// Tracing makes a span of every request to an endpoint, as a child of the one that its traceparent names (W3C Trace Context). The
// zero value makes none, and costs nothing.
type Tracing struct {
	Provider trace.TracerProvider
	// Proxies may say where a request comes from.
	Proxies source.Proxies
}

// originalRequest is the key of the request as it came, in the context of the bare one.
type originalRequest struct{}

// endpoint wraps an endpoint. The library puts much of a request into attributes: Host, User-Agent, a method of the caller's
// invention, whatever X-Forwarded-For says. So it is shown a bare request, which has nothing that a caller has chosen but a
// method of HTTP, and a path that is one of ours.
func (t Tracing) endpoint(name string, next http.Handler) http.Handler {
	if t.Provider == nil {
		return next
	}
	restored := http.HandlerFunc(func(w http.ResponseWriter, bare *http.Request) {
		original, _ := bare.Context().Value(originalRequest{}).(*http.Request)
		original = original.WithContext(bare.Context())
		original.Body = bare.Body
		next.ServeHTTP(w, original)
	})
	traced := otelhttp.NewHandler(restored, name,
		otelhttp.WithTracerProvider(t.Provider),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(name string, _ *http.Request) string { return name }),
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { traced.ServeHTTP(w, t.bare(r)) })
}

func (t Tracing) bare(r *http.Request) *http.Request {
	bare := &http.Request{
		Method: knownMethod(r.Method), Proto: r.Proto, URL: &url.URL{Path: r.URL.Path}, Body: r.Body, TLS: r.TLS, Header: http.Header{},
	}
	for _, name := range []string{"Traceparent", "Tracestate"} {
		if values := r.Header[name]; len(values) > 0 {
			bare.Header[name] = values
		}
	}
	if address := t.Proxies.Address(r); address.IsValid() {
		bare.RemoteAddr = netip.AddrPortFrom(address, 0).String()
	}
	return bare.WithContext(context.WithValue(r.Context(), originalRequest{}, r))
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "_OTHER"
	}
}
