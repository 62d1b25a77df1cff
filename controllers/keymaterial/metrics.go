// SPDX-License-Identifier: Apache-2.0

package keymaterial

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/metric"
)

// Metrics are those of the keys. Their labels are bounded: names of the two Secrets, and the reasons of rotations. What has not
// been looked at, as in a manager that stands by, has no value.
type Metrics struct {
	keys      *prometheus.GaugeVec
	rotations *prometheus.CounterVec
	damage    *prometheus.GaugeVec
}

// NewMetrics registers the metrics. Several managers of one process share them.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	var mistakes [3]error
	m := &Metrics{}
	m.keys, mistakes[0] = metric.Register(registerer, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "claviger_signing_keys",
		Help: "Signing keys that are published: those that wait, the one that signs, and those whose tokens have not all expired.",
	}, nil))
	m.rotations, mistakes[1] = metric.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_signing_key_rotations_total",
		Help: "Signing keys that were given a successor, by reason: Schedule, Request, Removal or Algorithm.",
	}, []string{"reason"}))
	m.damage, mistakes[2] = metric.RegisterDamage(registerer)
	return m, errors.Join(mistakes[:]...)
}

func (m *Metrics) sound(secret string)     { m.damage.WithLabelValues(secret).Set(0) }
func (m *Metrics) isDamaged(secret string) { m.damage.WithLabelValues(secret).Set(1) }

// rotated counts what a plan has brought.
func (m *Metrics) rotated(plan keyring.Plan) {
	m.keys.WithLabelValues().Set(float64(len(plan.Document.Keys)))
	for _, reason := range plan.Rotations {
		m.rotations.WithLabelValues(string(reason)).Inc()
	}
}
