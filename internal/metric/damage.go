// SPDX-License-Identifier: Apache-2.0

package metric

import "github.com/prometheus/client_golang/prometheus"

// RegisterDamage registers the metric of the operator's own Secrets, which several controllers keep.
func RegisterDamage(registerer prometheus.Registerer) (*prometheus.GaugeVec, error) {
	return Register(registerer, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "claviger_key_material_damaged",
		Help: "1 where a Secret of the operator is damaged and left alone, else 0.",
	}, []string{"secret"}))
}
