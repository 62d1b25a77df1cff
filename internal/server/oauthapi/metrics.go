// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/server/measure"
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

// Metrics are the counters of the endpoints, and what is measured of every request. No label holds anything that a client can choose.
type Metrics struct {
	*measure.Requests
	tokens         *prometheus.CounterVec
	revocations    *prometheus.CounterVec
	introspections *prometheus.CounterVec
	verdicts       *prometheus.CounterVec
	admitted       prometheus.Counter // of verdicts, which is counted most
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		Requests: measure.NewRequests(registerer),
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
	}
	m.admitted = m.verdicts.WithLabelValues(resultAdmitted, reasonNone)
	registerer.MustRegister(m.tokens, m.revocations, m.introspections, m.verdicts)
	return m
}
