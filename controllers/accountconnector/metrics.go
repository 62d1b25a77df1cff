// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/metric"
)

// Metrics are those of connections. Their labels are names that platform teams give, and reasons: tenants make up none.
type Metrics struct {
	refreshes   *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	connections *prometheus.GaugeVec
	resting     prometheus.Gauge

	mutex sync.Mutex
	// counted has the reason that each connection is counted under.
	counted map[types.NamespacedName]string
}

// NewMetrics registers the metrics. Several managers of one process share them.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{counted: map[types.NamespacedName]string{}}
	var mistakes [4]error
	m.refreshes, mistakes[0] = metric.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_connection_refreshes_total",
		Help: "Token requests to providers, by Connector and outcome.",
	}, []string{"connector", "outcome"}))
	m.duration, mistakes[1] = metric.Register(registerer, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "claviger_connection_refresh_duration_seconds",
		Help:    "How long token requests to providers take, by Connector.",
		Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20},
	}, []string{"connector"}))
	m.connections, mistakes[2] = metric.Register(registerer, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "claviger_connections",
		Help: "AccountConnectors, by the reason of their condition Ready.",
	}, []string{"reason"}))
	m.resting, mistakes[3] = metric.Register(registerer, prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "claviger_connection_hosts_resting",
		Help: "Hosts of providers that are left alone because they have not answered.",
	}))
	return m, errors.Join(mistakes[:]...)
}

// count counts a connection under a reason, and no longer under the one of before. Without a reason it is not counted any more.
func (m *Metrics) count(key types.NamespacedName, reason string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	before := m.counted[key]
	if before == reason {
		return
	}
	if before != "" {
		m.connections.WithLabelValues(before).Dec()
	}
	if reason == "" {
		delete(m.counted, key)
		return
	}
	m.counted[key] = reason
	m.connections.WithLabelValues(reason).Inc()
}

// outcomeLabel names what came of a token request.
func outcomeLabel(outcome connector.Outcome) string {
	switch outcome {
	case connector.Granted:
		return "granted"
	case connector.NotSent:
		return "not_sent"
	case connector.Busy:
		return "busy"
	case connector.GrantRefused:
		return "grant_refused"
	case connector.ClientRefused:
		return "client_refused"
	default:
		return "unclear"
	}
}
