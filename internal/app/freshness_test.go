// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/rand"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
)

func TestFreshness(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	first, second := signingKey(t, noon.Add(-time.Hour)), signingKey(t, noon.Add(time.Hour))
	const since, next = "claviger_signing_key_since_timestamp_seconds", "claviger_signing_key_next_timestamp_seconds"
	for _, row := range []struct {
		name string
		keys []keyring.Key
		want map[string]float64
	}{
		{"no key is loaded", nil, map[string]float64{}},
		{"one key", []keyring.Key{first}, map[string]float64{since: seconds(first.SignFrom)}},
		{"one key signs and one waits", []keyring.Key{first, second}, map[string]float64{since: seconds(first.SignFrom), next: seconds(second.SignFrom)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			keys := &kube.Keys{}
			if len(row.keys) > 0 {
				data, err := keyring.Encode(row.keys...)
				if err != nil {
					t.Fatal(err)
				}
				if err := keys.Store(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SigningKeysSecretName}, Data: data}); err != nil {
					t.Fatal(err)
				}
			}
			now := func() time.Time { return noon }
			registry := prometheus.NewRegistry()
			registry.MustRegister(newFreshness(&kube.Contact{Now: now}, keys, now))
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{}
			for _, family := range families {
				got[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
			}
			if !maps.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func seconds(at time.Time) float64 { return float64(at.Unix()) }

func signingKey(t *testing.T, from time.Time) keyring.Key {
	t.Helper()
	key, err := keyring.Generate(keyring.AlgorithmES256, rand.Reader, from)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
