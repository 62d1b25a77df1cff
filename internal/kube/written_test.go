// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/internal/kube"
)

func TestWritten(t *testing.T) {
	at := func(version string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "orders", ResourceVersion: version}}
	}
	key := client.ObjectKeyFromObject(at(""))
	for _, row := range []struct {
		name  string
		do    func(*kube.Written)
		read  string
		stale bool
	}{
		{"nothing was written: any version is good", func(*kube.Written) {}, "5", false},
		{"an older version is stale", func(w *kube.Written) { w.Note("Secret", at("9")) }, "5", true},
		{"the version that was written is good", func(w *kube.Written) { w.Note("Secret", at("9")) }, "9", false},
		{"a newer one is good", func(w *kube.Written) { w.Note("Secret", at("9")) }, "10", false},
		{"versions are numbers, not text", func(w *kube.Written) { w.Note("Secret", at("10")) }, "9", true},
		{"the last write counts", func(w *kube.Written) { w.Note("Secret", at("9")); w.Note("Secret", at("12")) }, "10", true},
		{"another kind of the same name is another object", func(w *kube.Written) { w.Note("ConfigMap", at("9")) }, "5", false},
		{"what is gone is forgotten: its successor starts anew", func(w *kube.Written) { w.Note("Secret", at("9")); w.Forget("Secret", key) }, "5", false},
		{"what was caught up with is forgotten", func(w *kube.Written) { w.Note("Secret", at("9")); _ = w.Check("Secret", at("9")) }, "5", false},
		{"a version that is no number is believed", func(w *kube.Written) { w.Note("Secret", at("9")) }, "x", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var written kube.Written
			row.do(&written)
			if err := written.Check("Secret", at(row.read)); errors.Is(err, kube.ErrStale) != row.stale {
				t.Errorf("got %v", err)
			}
		})
	}
}
