// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Values of the label "result" besides the OAuth error codes. The label is bounded: codes are constants.
const (
	resultIssued   = "issued"
	resultAdmitted = "admitted"
	resultNoToken  = "no_token"
	resultRevoked  = "revoked"
	resultNothing  = "nothing_to_revoke"
)

// Metrics are the counters and histograms of the endpoints. No label holds anything that a client can choose.
type Metrics struct {
	tokens      *prometheus.CounterVec
	revocations *prometheus.CounterVec
	verdicts    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_token_requests_total",
			Help: "Token requests by result: issued, or the OAuth error code.",
		}, []string{"result"}),
		revocations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_revocation_requests_total",
			Help: "Revocation requests by result: revoked, nothing_to_revoke, or the OAuth error code.",
		}, []string{"result"}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_verify_requests_total",
			Help: "Verify requests by result: admitted, no_token, or the OAuth error code.",
		}, []string{"result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "claviger_http_request_duration_seconds",
			Help:    "Duration of requests by endpoint and status code, in seconds.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5},
		}, []string{"endpoint", "code"}),
	}
	registerer.MustRegister(m.tokens, m.revocations, m.verdicts, m.duration)
	return m
}

// Time measures an endpoint.
func (m *Metrics) Time(endpoint string, handler http.HandlerFunc) http.Handler {
	return promhttp.InstrumentHandlerDuration(m.duration.MustCurryWith(prometheus.Labels{"endpoint": endpoint}), handler)
}
