// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"net/http"
	"net/netip"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/claviger/claviger/internal/server/source"
)

// Origin says where a request comes from. Both fields are empty where it is not known.
type Origin struct {
	Source netip.Addr
	// TraceID is that of the trace that the request is part of, in hexadecimal (W3C Trace Context).
	TraceID string
}

// OriginOf says where a request comes from. Proxies may say so.
func OriginOf(r *http.Request, proxies source.Proxies) Origin {
	return Origin{Source: proxies.Address(r), TraceID: traceID(r)}
}

// traceID gives the ID of the trace that a request is part of: that of our own span or, where we make none, of the caller's.
func traceID(r *http.Request) string {
	span := trace.SpanContextFromContext(r.Context())
	if !span.IsValid() && len(r.Header["Traceparent"]) > 0 {
		span = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
	}
	if !span.IsValid() {
		return ""
	}
	return span.TraceID().String()
}

func (o Origin) source() string {
	if !o.Source.IsValid() {
		return ""
	}
	return o.Source.String()
}
