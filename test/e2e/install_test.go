// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	claviger "github.com/claviger/claviger/config"
)

// root is the repository's folder.
const root = "../.."

// run runs a program and gives what it prints. It fails with all of that.
func run(ctx context.Context, program string, args ...string) string {
	GinkgoHelper()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		Fail(fmt.Sprintf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out))
	}
	return string(out)
}

// overlay makes a kustomization of config/default below a folder, with an image.
func overlay(from, image string) string {
	GinkgoHelper()
	here, err := filepath.Abs(GinkgoT().TempDir())
	Expect(err).NotTo(HaveOccurred())
	there, err := filepath.Abs(filepath.Join(from, "config", "default"))
	Expect(err).NotTo(HaveOccurred())
	base, err := filepath.Rel(here, there)
	Expect(err).NotTo(HaveOccurred())
	name, tag := split(image)
	Expect(os.WriteFile(filepath.Join(here, "kustomization.yaml"), fmt.Appendf(nil, `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [%q]
images: [{name: claviger/claviger, newName: %q, newTag: %q}]
`, base, name, tag), 0o600)).To(Succeed())
	return here
}

// split takes a reference of an image apart.
func split(image string) (name, tag string) {
	i := strings.LastIndex(image, ":")
	return image[:i], image[i+1:]
}

// byKustomize installs what is below a folder, or upgrades to it.
func (c *cluster) byKustomize(ctx context.Context, from, image string) (remove func(context.Context)) {
	GinkgoHelper()
	folder := overlay(from, image)
	run(ctx, c.kubectl, "apply", "--server-side", "-k", folder)
	c.roles(ctx)
	return func(ctx context.Context) {
		run(ctx, c.kubectl, "delete", "accountconnectors", "--all", "-A", "--timeout=60s")
		run(ctx, c.kubectl, "delete", "-k", folder, "--timeout=120s")
	}
}

// byHelm installs the chart.
func (c *cluster) byHelm(ctx context.Context, image string) (remove func(context.Context)) {
	GinkgoHelper()
	name, tag := split(image)
	run(ctx, c.helm, "install", "claviger", filepath.Join(root, "charts/claviger"), "--namespace", claviger.Namespace, "--create-namespace",
		"--set", "image.repository="+name, "--set", "image.tag="+tag, "--wait", "--timeout", "2m")
	run(ctx, c.kubectl, "label", "namespace", claviger.Namespace, "pod-security.kubernetes.io/enforce=restricted")
	c.roles(ctx)
	return func(ctx context.Context) {
		run(ctx, c.kubectl, "delete", "accountconnectors", "--all", "-A", "--timeout=60s")
		run(ctx, c.helm, "uninstall", "claviger", "--namespace", claviger.Namespace, "--wait", "--timeout", "2m")
	}
}

// roles waits until every role has as many pods as it should.
func (c *cluster) roles(ctx context.Context) {
	GinkgoHelper()
	for _, role := range []string{"manager", "token-service", "connect"} {
		run(ctx, c.kubectl, "-n", claviger.Namespace, "rollout", "status", "deployment/claviger-"+role, "--timeout=120s")
	}
}

// samples applies what the README applies, and waits for it.
func (c *cluster) samples(ctx context.Context) {
	GinkgoHelper()
	run(ctx, c.kubectl, "apply", "--server-side", "-f", filepath.Join(root, "config/samples/acme.yaml"))
	run(ctx, c.kubectl, "wait", "-n", acme, "clientcredential", "--all", "--for=condition=Ready", "--timeout=60s")
}

// within is how soon something must be, where it is promised.
func within(promise time.Duration, what string, done func() bool) {
	GinkgoHelper()
	began := time.Now()
	Eventually(done).WithTimeout(promise).WithPolling(100*time.Millisecond).Should(BeTrue(), what)
	AddReportEntry(what, fmt.Sprintf("%s, of %s", time.Since(began).Round(100*time.Millisecond), promise))
}
