// SPDX-License-Identifier: Apache-2.0

package introspection

import "github.com/prometheus/client_golang/prometheus"

// Values of the label "result".
const (
	resultActive     = "active"
	resultInactive   = "inactive"
	resultError      = "error"
	resultResting    = "resting"
	resultRemembered = "remembered"
)

// Metrics count questions about tokens.
type Metrics struct{ questions *prometheus.CounterVec }

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{questions: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_gate_introspections_total",
		Help: "Questions about tokens by result: active, inactive, error, resting (not asked, because the issuer has just failed), remembered (not asked again).",
	}, []string{"result"})}
	registerer.MustRegister(m.questions)
	return m
}

func (m *Metrics) count(result string) { m.questions.WithLabelValues(result).Inc() }
