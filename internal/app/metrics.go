// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// rotationsCounter makes the manager's counter of new client secrets, or finds the one that another manager of this process has
// made: the registry that controller-runtime serves is one for all.
func rotationsCounter() (*prometheus.CounterVec, error) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "claviger_client_secret_rotations_total",
		Help: "New client secrets in place of others, by cause: Interval, Trigger, Request, Healing or Import.",
	}, []string{"cause"})
	err := metrics.Registry.Register(counter)
	var registered prometheus.AlreadyRegisteredError
	if errors.As(err, &registered) {
		return registered.ExistingCollector.(*prometheus.CounterVec), nil
	}
	if err != nil {
		return nil, fmt.Errorf("registering a metric: %w", err)
	}
	return counter, nil
}
