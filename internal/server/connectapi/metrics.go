// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/measure"
)

// resultConnected is the label of a sign-in that went well.
const resultConnected = "connected"

// Metrics are the counters of sign-ins, and what is measured of every request. No label holds anything that a caller can choose.
type Metrics struct {
	*measure.Requests
	tokens   prometheus.Counter
	begun    prometheus.Counter
	finished *prometheus.CounterVec
	turned   *prometheus.CounterVec
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		Requests: measure.NewRequests(registerer),
		tokens: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "claviger_sign_in_tokens_total",
			Help: "Sign-in tokens that were issued.",
		}),
		begun: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "claviger_sign_ins_begun_total",
			Help: "Sign-ins whose user was sent to the application.",
		}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_sign_ins_total",
			Help: "Sign-ins that have ended, by result: connected, or the error that the host was told.",
		}, []string{"result"}),
		turned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "claviger_sign_ins_refused_total",
			Help: "Requests of browsers that were shown an error page, by problem.",
		}, []string{"problem"}),
	}
	registerer.MustRegister(m.tokens, m.begun, m.finished, m.turned)
	return m
}

func (m *Metrics) ended(problem signin.Problem) {
	result := string(problem)
	if result == "" {
		result = resultConnected
	}
	m.finished.WithLabelValues(result).Inc()
}

func (m *Metrics) refused(problem signin.Problem) { m.turned.WithLabelValues(string(problem)).Inc() }
