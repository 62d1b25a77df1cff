// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/controllers/keymaterial"
	"github.com/claviger/claviger/internal/pki"
)

// TestManagersShareMetrics: tests run several managers in one process, and the damage of Secrets is told by two controllers.
func TestManagersShareMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if _, err := keymaterial.NewMetrics(registry); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		metrics, err := NewMetrics(registry)
		if err != nil {
			t.Fatal(err)
		}
		metrics.issued(pki.Plan{Issued: pki.CauseRenewal})
		metrics.issued(pki.Plan{})
		metrics.isDamaged("claviger-ca")
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			got[family.GetName()+" "+metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	if len(got) != 2 || got["claviger_certificates_issued_total Renewal"] != 2 || got["claviger_key_material_damaged claviger-ca"] != 1 {
		t.Errorf("got %v", got)
	}
}
