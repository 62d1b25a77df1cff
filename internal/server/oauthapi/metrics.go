// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Values of the label "result" besides the OAuth error codes. The label is bounded: codes are constants.
const (
	resultIssued   = "issued"
	resultAdmitted = "admitted"
	resultNoToken  = "no_token"
	resultRevoked  = "revoked"
	resultNothing  = "nothing_to_revoke"
	resultActive   = "active"
	resultInactive = "inactive"
)

// Values of the label "reason" besides those of package issuer.
const (
	reasonNone    = "None"
	reasonNoToken = "NoToken"
)

// Metrics are the counters and histograms of the endpoints. No label holds anything that a client can choose.
type Metrics struct {
	tokens         *prometheus.CounterVec
	revocations    *prometheus.CounterVec
	introspections *prometheus.CounterVec
	verdicts       *prometheus.CounterVec
	admitted       prometheus.Counter // of verdicts, which is counted most
	duration       *prometheus.HistogramVec
	inFlight       *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_token_requests_total",
			Help: "Token requests by result (issued, or the OAuth error code) and by the method of client authentication.",
		}, []string{"result", "method"}),
		revocations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_revocation_requests_total",
			Help: "Revocation requests by result: revoked, nothing_to_revoke, or the OAuth error code.",
		}, []string{"result"}),
		introspections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_introspection_requests_total",
			Help: "Introspection requests by result: active, inactive, or the OAuth error code.",
		}, []string{"result"}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_verify_requests_total",
			Help: "Verdicts by result (admitted, no_token, or the OAuth error code) and by reason.",
		}, []string{"result", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "claviger_http_request_duration_seconds",
			Help:    "Duration of requests by endpoint and status code, in seconds.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5},
		}, []string{"endpoint", "code"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "claviger_http_requests_in_flight",
			Help: "Requests that are being answered, by endpoint.",
		}, []string{"endpoint"}),
	}
	m.admitted = m.verdicts.WithLabelValues(resultAdmitted, reasonNone)
	registerer.MustRegister(m.tokens, m.revocations, m.introspections, m.verdicts, m.duration, m.inFlight)
	return m
}

// Start measures what is no HTTP handler, until it calls the result with the status code that it would have been.
func (m *Metrics) Start(endpoint string) func(code int) {
	m.inFlight.WithLabelValues(endpoint).Inc()
	var label string
	timer := prometheus.NewTimer(prometheus.ObserverFunc(func(seconds float64) {
		m.duration.WithLabelValues(endpoint, label).Observe(seconds)
	}))
	return func(code int) {
		label = strconv.Itoa(code)
		timer.ObserveDuration()
		m.inFlight.WithLabelValues(endpoint).Dec()
	}
}
