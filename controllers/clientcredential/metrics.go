// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/metric"
)

// NewRotations registers the counter of new client secrets. Several managers of one process share it.
func NewRotations(registerer prometheus.Registerer) (*prometheus.CounterVec, error) {
	return metric.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_client_secret_rotations_total",
		Help: "New client secrets in place of others, by cause: Interval, Trigger, Request, Healing or Import.",
	}, []string{"cause"}))
}
