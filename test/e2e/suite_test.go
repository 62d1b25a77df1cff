// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e tries Claviger on a cluster with nodes, Services and DNS, as those who install and use it do. `make test-e2e` builds what it
// needs and runs it.
package e2e

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/claviger/claviger/api/v1alpha1"
)

// cluster is the one that KUBECONFIG names, and what hack/e2e.sh has prepared for it.
type cluster struct {
	client.Client
	logs *kubernetes.Clientset

	// kubectl and helm are programs.
	kubectl, helm string
	// image is that of the roles, before that of the commit before, and workload that of test/e2e/workload.
	image, before, workload string
	// restart restarts a part of the control plane, whose name is added.
	restart string
	// previous is a folder with the commit before.
	previous string
}

var it *cluster

func TestEndToEnd(t *testing.T) {
	log.SetLogger(logr.Discard())
	RegisterFailHandler(Fail)
	RunSpecs(t, "Claviger in a cluster")
}

var _ = BeforeSuite(func() {
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(250 * time.Millisecond)
	need := func(name string) string {
		value := os.Getenv(name)
		Expect(value).NotTo(BeEmpty(), "%s is not set: run it by make test-e2e", name)
		return value
	}
	need("KUBECONFIG")
	it = &cluster{
		kubectl: need("KUBECTL"), helm: need("HELM"), image: need("IMAGE"), before: need("IMAGE_BEFORE"), workload: need("IMAGE_WORKLOAD"),
		restart: need("RESTART"), previous: need("PREVIOUS"),
	}
	access, err := config.GetConfig()
	Expect(err).NotTo(HaveOccurred())
	scheme := runtime.NewScheme()
	Expect(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))).To(Succeed())
	it.Client, err = client.New(access, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	it.logs, err = kubernetes.NewForConfig(access)
	Expect(err).NotTo(HaveOccurred())
})
