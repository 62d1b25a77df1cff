// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/claviger/claviger/internal/version"
)

// traceFlushTimeout bounds how long the end of the process waits for the last spans to be taken.
const traceFlushTimeout = 5 * time.Second

// TraceOptions say where spans go. The zero value makes none.
type TraceOptions struct {
	// Endpoint is the URL of an OTLP receiver, HTTP with protobuf; /v1/traces where it has no path.
	Endpoint string
	// SampleRatio is how many of the traces that begin here are recorded, from 0 to 1. Whether one that a caller began is recorded
	// is the caller's word.
	SampleRatio float64
}

func (o *TraceOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.Endpoint, "otlp-endpoint", "", "URL that OpenTelemetry traces are sent to, by OTLP over HTTP; none: no traces. $OTEL_EXPORTER_OTLP_HEADERS and the like apply")
	flags.Float64Var(&o.SampleRatio, "trace-sample-ratio", 1, "how many of the traces that begin here are recorded, from 0 to 1; a caller's traceparent decides over its own")
}

func (o *TraceOptions) complete() error {
	var mistakes []error
	if o.Endpoint != "" {
		endpoint, err := url.Parse(o.Endpoint)
		switch {
		case err != nil: // its text holds the URL, and so perhaps a password
			mistakes = append(mistakes, errors.New("--otlp-endpoint is not a URL"))
		case endpoint.Scheme != "http" && endpoint.Scheme != "https", endpoint.Host == "", endpoint.User != nil, endpoint.RawQuery != "", endpoint.Fragment != "":
			mistakes = append(mistakes, errors.New("--otlp-endpoint must be an http or https URL without user, query and fragment; secrets belong into $OTEL_EXPORTER_OTLP_HEADERS"))
		case endpoint.Path == "" || endpoint.Path == "/":
			o.Endpoint = endpoint.JoinPath("v1", "traces").String()
		}
	}
	if !(o.SampleRatio >= 0 && o.SampleRatio <= 1) {
		mistakes = append(mistakes, fmt.Errorf("--trace-sample-ratio: %v is not from 0 to 1", o.SampleRatio))
	}
	return errors.Join(mistakes...)
}

// provider gives what makes spans, and what sends the last of them; nil and nothing to do where none are asked for.
func (o *TraceOptions) provider(ctx context.Context, service string) (*sdktrace.TracerProvider, func(), error) {
	if o.Endpoint == "" {
		return nil, func() {}, nil
	}
	logger := logr.FromContextOrDiscard(ctx).WithName("traces")
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Endpoint))
	if err != nil {
		return nil, nil, fmt.Errorf("building the exporter of traces: %w", err)
	}
	identity, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(service), semconv.ServiceVersion(version.Version())),
		resource.WithFromEnv(), // what $OTEL_SERVICE_NAME and $OTEL_RESOURCE_ATTRIBUTES say wins
	)
	if err != nil {
		return nil, nil, fmt.Errorf("describing the process for traces: %w", err)
	}
	// The library has one error handler for a process. A receiver that is away costs spans and nothing else.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Error(err, "Traces are not sent") }))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(identity),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.SampleRatio))),
	)
	flush := func() {
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceFlushTimeout)
		defer cancel()
		if err := provider.Shutdown(deadline); err != nil {
			logger.Error(err, "The last traces are lost")
		}
	}
	return provider, flush, nil
}
