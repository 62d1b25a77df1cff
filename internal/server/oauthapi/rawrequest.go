// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"errors"
	"io"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
)

// maxBody bounds the body of a client's request, in bytes.
const maxBody = 64 << 10

// rawRequest reads what a client sent to an endpoint that it authenticates at.
func (a *API) rawRequest(w http.ResponseWriter, r *http.Request) (oauth.RawRequest, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return oauth.RawRequest{}, badBody(err)
	}
	return oauth.RawRequest{
		Source:        a.Proxies.Address(r),
		Query:         r.URL.RawQuery,
		ContentType:   r.Header.Get("Content-Type"),
		Authorization: r.Header.Values("Authorization"),
		Body:          body,
	}, nil
}

// origin says where a request comes from.
func (a *API) origin(r *http.Request) audit.Origin {
	return audit.Origin{Source: a.Proxies.Address(r), TraceID: traceID(r)}
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

func badBody(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return oauth.InvalidRequest("the body is larger than %d bytes", tooLarge.Limit)
	}
	return oauth.InvalidRequest("the body could not be read")
}
