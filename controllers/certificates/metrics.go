// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"crypto/x509"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/metric"
	"github.com/claviger/claviger/internal/pki"
)

// Metrics are those of the certificates. Their labels are bounded: names of the two Secrets, and the causes of certificates.
// What has not been looked at, as in a manager that stands by, has no value.
type Metrics struct {
	expiry *prometheus.GaugeVec
	issues *prometheus.CounterVec
	damage *prometheus.GaugeVec
}

// NewMetrics registers the metrics. Several managers of one process share them.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	var mistakes [3]error
	m := &Metrics{}
	m.expiry, mistakes[0] = metric.Register(registerer, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "claviger_certificate_expiry_timestamp_seconds",
		Help: "When the certificate in a Secret expires, in seconds since 1970.",
	}, []string{"secret"}))
	m.issues, mistakes[1] = metric.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_certificates_issued_total",
		Help: "Serving certificates that were issued, by cause: Missing, Invalid, Names, Authority or Renewal.",
	}, []string{"cause"}))
	m.damage, mistakes[2] = metric.RegisterDamage(registerer)
	return m, errors.Join(mistakes[:]...)
}

func (m *Metrics) sound(secret string)     { m.damage.WithLabelValues(secret).Set(0) }
func (m *Metrics) isDamaged(secret string) { m.damage.WithLabelValues(secret).Set(1) }

func (m *Metrics) expires(secret string, certificate *x509.Certificate) {
	m.expiry.WithLabelValues(secret).Set(float64(certificate.NotAfter.Unix()))
}

func (m *Metrics) issued(plan pki.Plan) {
	if plan.Issued != "" {
		m.issues.WithLabelValues(string(plan.Issued)).Inc()
	}
}
