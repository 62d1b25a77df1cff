// SPDX-License-Identifier: Apache-2.0

// Package metric registers the metrics of controllers.
package metric

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Register registers a collector and gives it, or the one that is registered in its place already: the registry that
// controller-runtime serves is one for all managers of a process.
func Register[C prometheus.Collector](registerer prometheus.Registerer, collector C) (C, error) {
	err := registerer.Register(collector)
	if registered, found := errors.AsType[prometheus.AlreadyRegisteredError](err); found {
		if same, ok := registered.ExistingCollector.(C); ok {
			return same, nil
		}
	}
	if err != nil {
		return collector, fmt.Errorf("registering a metric: %w", err)
	}
	return collector, nil
}
