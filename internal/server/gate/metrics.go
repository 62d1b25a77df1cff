// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Values of the label "result" besides the OAuth error codes.
const (
	resultAdmitted    = "admitted"
	resultPublic      = "public"
	resultPreflight   = "preflight"
	resultMetadata    = "metadata"
	resultMisdirected = "misdirected"
)

// Values of the label "reason" of failures.
const (
	failureUnreachable = "unreachable"
	failureTimeout     = "timeout"
	failureBroken      = "broken"
	failureCanceled    = "canceled"
)

// Metrics are what a gate counts. No label holds anything that a caller can choose.
type Metrics struct {
	registerer prometheus.Registerer
	verdicts   *prometheus.CounterVec
	upstream   *prometheus.HistogramVec
	failures   *prometheus.CounterVec
	ended      *prometheus.CounterVec
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		registerer: registerer,
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_gate_requests_total",
			Help: "Requests by result: admitted, public, preflight, metadata, misdirected, no_token, or the OAuth error code.",
		}, []string{"result"}),
		upstream: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "claviger_gate_upstream_duration_seconds",
			Help:    "Time until the upstream's answer begins, by class of status code, in seconds.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
		}, []string{"code"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_gate_upstream_failures_total",
			Help: "Requests that the upstream did not answer, by reason: unreachable, timeout, broken, canceled (the caller went away).",
		}, []string{"reason"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_gate_calls_ended_total",
			Help: "Calls that were ended under way, by reason: expired, refused, unconfirmed, shutdown.",
		}, []string{"reason"}),
	}
	registerer.MustRegister(m.verdicts, m.upstream, m.failures, m.ended)
	return m
}

// follow registers what is known only of a gate that exists.
func (m *Metrics) follow(open *calls) {
	m.registerer.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "claviger_gate_open_calls", Help: "Calls under way that needed a token.",
		}, func() float64 { return float64(open.count.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "claviger_gate_open_streams", Help: "Calls under way whose answer is a stream: no stated length, or an upgraded connection.",
		}, func() float64 { return float64(open.streams.Load()) }),
	)
}

func (m *Metrics) verdict(result string) { m.verdicts.WithLabelValues(result).Inc() }

func (m *Metrics) timed(next http.RoundTripper, now func() time.Time) http.RoundTripper {
	return &timedTransport{next: next, metrics: m, now: now}
}

// class gives 2xx of 204, so that an upstream cannot make up labels.
func class(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}
