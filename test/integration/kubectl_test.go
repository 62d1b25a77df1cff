// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/plugin"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
)

// kubectl runs the plugin as its users do, in a namespace.
type kubectl struct {
	kubeconfig, namespace string
}

// said is what a run of the plugin left behind.
type said struct {
	code     int
	out, err string
}

func newKubectl(namespace string) kubectl {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(controlplane.WriteKubeconfig(path, plane.Admin(), "admin")).To(Succeed())
	return kubectl{kubeconfig: path, namespace: namespace}
}

// claviger runs "kubectl claviger". All that it says is told to the ledger, but for tokens that were asked for.
func (k kubectl) claviger(ctx context.Context, input string, args ...string) said {
	GinkgoHelper()
	var out, complaints bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(input), Out: &out, ErrOut: &complaints}
	flags := []string{"--kubeconfig", k.kubeconfig, "--namespace", k.namespace}
	if args[0] == "__complete" {
		args = append([]string{args[0], args[1]}, append(flags, args[2:]...)...)
	} else {
		args = append(args, flags...)
	}
	code := plugin.Run(ctx, args, streams, time.Now)
	if args[0] != "token" {
		_, _ = plane.Ledger.Write(out.Bytes())
	}
	_, _ = plane.Ledger.Write(complaints.Bytes())
	return said{code: code, out: out.String(), err: complaints.String()}
}

// does is claviger where nothing may go wrong. It gives standard output.
func (k kubectl) does(ctx context.Context, args ...string) string {
	GinkgoHelper()
	done := k.claviger(ctx, "", args...)
	Expect(done.code).To(Equal(0), "%v: %s%s", args, done.out, done.err)
	return done.out
}

// fails is claviger where something must. It gives standard error.
func (k kubectl) fails(ctx context.Context, args ...string) string {
	GinkgoHelper()
	done := k.claviger(ctx, "", args...)
	Expect(done.code).To(Equal(1), "%v: %s%s", args, done.out, done.err)
	return done.err
}
