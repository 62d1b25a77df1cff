// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

func TestEveryConnectionIsCountedOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	crm, chat := types.NamespacedName{Namespace: "acme", Name: "crm"}, types.NamespacedName{Namespace: "acme", Name: "chat"}
	is := func(reason string, want float64) {
		t.Helper()
		if got := valueOf(t, registry, reason); got != want {
			t.Errorf("%v are %s, want %v", got, reason, want)
		}
	}
	m.count(crm, "SignInRequired")
	m.count(crm, "SignInRequired")
	m.count(chat, "Connected")
	is("SignInRequired", 1)
	m.count(crm, "Connected")
	is("SignInRequired", 0)
	is("Connected", 2)
	m.count(crm, "")
	m.count(crm, "")
	is("Connected", 1)
}

// valueOf gives the only sample of claviger_connections with that reason.
func valueOf(t *testing.T, gatherer prometheus.Gatherer, reason string) float64 {
	t.Helper()
	families, err := gatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, sample := range family.GetMetric() {
			if family.GetName() == "claviger_connections" && sample.GetLabel()[0].GetValue() == reason {
				return sample.GetGauge().GetValue()
			}
		}
	}
	return 0
}
