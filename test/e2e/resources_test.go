// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	claviger "github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/harness"
)

// resources says what each pod of the roles takes, as its own metrics have it: for the requests and limits of the manifests.
func (c *cluster) resources(ctx context.Context) string {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(c.List(ctx, pods, client.InNamespace(claviger.Namespace), client.MatchingLabels{"app.kubernetes.io/name": "claviger"})).To(Succeed())
	var lines []string
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		text, err := c.logs.CoreV1().RESTClient().Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name + ":8080").SubResource("proxy").
			Suffix("metrics").DoRaw(ctx)
		Expect(err).NotTo(HaveOccurred(), "metrics of %s", pod.Name)
		limit := pod.Spec.Containers[0].Resources.Limits.Memory().Value()
		Expect(int64(harness.Gauge(string(text), "go_gc_gomemlimit_bytes"))).To(Equal(limit), "%s keeps to its limit", pod.Name)
		lines = append(lines, fmt.Sprintf("%s: %.0f MiB resident, %.1f s of CPU", pod.Labels["app.kubernetes.io/component"],
			harness.Gauge(string(text), "process_resident_memory_bytes")/(1<<20), harness.Gauge(string(text), "process_cpu_seconds_total")))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
