// SPDX-License-Identifier: Apache-2.0

package keymaterial

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/keyring"
)

// TestManagersShareMetrics: tests run several managers in one process.
func TestManagersShareMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	for range 2 {
		metrics, err := NewMetrics(registry)
		if err != nil {
			t.Fatal(err)
		}
		metrics.rotated(keyring.Plan{
			Document:  keyring.Document{Keys: make([]keyring.Key, 3)},
			Rotations: []keyring.Reason{keyring.ReasonRemoval, keyring.ReasonSchedule},
		})
		metrics.isDamaged("claviger-pepper")
	}
	got := gather(t, registry)
	for name, want := range map[string]float64{
		"claviger_signing_keys":                         3,
		"claviger_signing_key_rotations_total Removal":  2,
		"claviger_signing_key_rotations_total Schedule": 2,
		"claviger_key_material_damaged claviger-pepper": 1,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %v", got)
	}
}

// TestMetricsOfAManagerThatStandsBy: no value is told of what has not been looked at, for it would be taken for one.
func TestMetricsOfAManagerThatStandsBy(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	if _, err := NewMetrics(registry); err != nil {
		t.Fatal(err)
	}
	if got := gather(t, registry); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestAMetricOfAnotherKindIsInTheWay(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "claviger_signing_keys", Help: "Another."}, []string{"other"}))
	if _, err := NewMetrics(registry); err == nil {
		t.Error("nobody was told")
	}
}

// gather gives the values of metrics by their name and the value of their label.
func gather(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return values
}
