// SPDX-License-Identifier: Apache-2.0

package notification

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/metric"
)

// NewTold registers the counter of messages. Several managers of one process share it.
func NewTold(registerer prometheus.Registerer) (*prometheus.CounterVec, error) {
	return metric.Register(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_notifications_total",
		Help: "Messages to the notification hook, by type and result: delivered or failed.",
	}, []string{"type", "result"}))
}
