// SPDX-License-Identifier: Apache-2.0

// Package footprint measures the memory that the roles take for so many credentials, each role as the process that the image has. It is
// a bench: `make bench-memory` runs it with many, and the tests with a few, so that it is known to work.
package footprint

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var (
	credentials = flag.Int("credentials", 10, "how many credentials there are at the end")
	steps       = flag.Int("steps", 1, "in how many steps they are made, with a look at the memory after each")
)

// fewRequests bounds how many credentials are created at a time.
const fewRequests = 8

func TestFootprint(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Memory of the roles")
}

var (
	plane *harness.Plane
	// binary is claviger.
	binary string
)

var _ = BeforeSuite(func() {
	plane = harness.StartPlane()
	binary = filepath.Join(GinkgoT().TempDir(), "claviger")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "github.com/claviger/claviger/cmd/claviger")
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), GinkgoWriter
	Expect(build.Run()).To(Succeed())
})

var _ = It("is told for each number of credentials", func(ctx context.Context) {
	manager := start(ctx, sandbox.ManagerServiceAccount, "manager", "--leader-elect=false", "--health-bind-address=0")
	tokens := start(ctx, sandbox.TokenServiceServiceAccount, "token-service", "--tls-secret=", "--listen="+freeAddress(ctx))
	plane.Create(ctx, builder.Account("acme", builder.Namespaces("acme")))
	plane.Namespace(ctx, "acme", nil)

	var told strings.Builder
	made := 0
	for step := range *steps + 1 {
		count := *credentials * step / *steps
		create(ctx, made, count)
		made = count
		Eventually(ready).WithArguments(ctx).WithTimeout(10 * time.Minute).WithPolling(time.Second).Should(Equal(count))
		line := fmt.Sprintf("%d credentials: manager %.0f MiB, token service %.0f MiB\n", count, resident(manager), resident(tokens))
		fmt.Fprint(os.Stderr, line) // so that one sees how far it is
		told.WriteString(line)
	}
	AddReportEntry("resident memory", told.String())
})

// start starts a role as a process of its own, with the rights of its ServiceAccount, waits until it listens, and gives the address of its metrics.
func start(ctx context.Context, serviceAccount, role string, args ...string) string {
	GinkgoHelper()
	kubeconfig, metrics := filepath.Join(GinkgoT().TempDir(), role), freeAddress(ctx)
	Expect(controlplane.WriteKubeconfig(kubeconfig, plane.Identity(serviceAccount), role)).To(Succeed())
	command := exec.CommandContext(ctx, binary, append([]string{
		role, "--kubeconfig=" + kubeconfig, "--issuer=" + harness.Issuer, "--metrics-bind-address=" + metrics,
	}, args...)...)
	command.Stdout, command.Stderr = GinkgoWriter, GinkgoWriter
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	harness.Metrics(metrics)
	return metrics
}

func freeAddress(ctx context.Context) string {
	GinkgoHelper()
	address, err := loopback.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	return address
}

// create makes the credentials from one number to another. They go with the control plane.
func create(ctx context.Context, from, to int) {
	GinkgoHelper()
	requests, ctx := errgroup.WithContext(ctx)
	requests.SetLimit(fewRequests)
	for i := from; i < to; i++ {
		requests.Go(func() error {
			return plane.API.Create(ctx, builder.ClientCredential("acme", fmt.Sprintf("client-%d", i), builder.ForAccount("acme")))
		})
	}
	Expect(requests.Wait()).To(Succeed())
}

// ready counts the credentials that are.
func ready(ctx context.Context) int {
	GinkgoHelper()
	var all v1alpha1.ClientCredentialList
	Expect(plane.API.List(ctx, &all, client.InNamespace("acme"))).To(Succeed())
	count := 0
	for i := range all.Items {
		if meta.IsStatusConditionTrue(all.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
			count++
		}
	}
	return count
}

// resident gives the memory that the role takes whose metrics are there, in MiB.
func resident(metrics string) float64 {
	GinkgoHelper()
	return harness.Gauge(harness.Metrics(metrics), "process_resident_memory_bytes") / (1 << 20)
}
