// SPDX-License-Identifier: Apache-2.0

// Package harness gives suites a real control plane with Claviger's CRDs and RBAC on it, and runs the roles there, each as
// its own ServiceAccount. Whatever the roles log or tell is collected, and so is every secret, so that a suite can prove at
// its end that none of the one is in the other.
package harness

import (
	"context"
	"fmt"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
)

// Plane is a control plane with Claviger installed and no role running.
type Plane struct {
	*controlplane.ControlPlane
	// API is a client with all rights.
	API client.Client
	// Ledger knows every secret that was ever in the cluster, and everything that the roles told.
	Ledger *Ledger

	ctx context.Context //nolint:containedctx // the life of the suite
	dir string
}

// StartPlane starts a control plane that ends with the suite.
func StartPlane() *Plane {
	GinkgoHelper()
	SetDefaultEventuallyTimeout(patience)
	dir, err := os.MkdirTemp("", "claviger-test-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	ctx, cancel := context.WithCancel(context.Background())

	plane := &Plane{ctx: ctx, dir: dir}
	plane.ControlPlane, err = controlplane.Start(ctx, controlplane.Options{
		Assets: os.Getenv("KUBEBUILDER_ASSETS"), Dir: dir, AuditedGroup: "system:serviceaccounts:" + config.Namespace,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	DeferCleanup(cancel)
	Expect(sandbox.Install(ctx, plane.Admin())).To(Succeed())
	Expect(plane.StartControllers(ctx)).To(Succeed())

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	plane.API, err = client.New(plane.Admin(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	plane.Ledger = newLedger(plane.API)
	app.UseLogger(commonOptions().Logger(plane.Ledger)) // before anything that might log runs
	plane.Ledger.follow(ctx, plane.Admin())
	return plane
}

// Create creates objects, and their namespaces where they are missing. They go with the spec: a manager that starts has no more
// to look at than its own spec made.
func (p *Plane) Create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		if name := object.GetNamespace(); name != "" {
			p.Namespace(ctx, name, nil)
		}
		Expect(p.API.Create(ctx, object)).To(Succeed(), "creating %s", describe(object))
		DeferCleanup(p.remove, object)
	}
}

// remove deletes an object, where there still is one of its name, once the ledger has been told what it said, if it was no Secret.
func (p *Plane) remove(ctx context.Context, object client.Object) {
	GinkgoHelper()
	object = object.DeepCopyObject().(client.Object)
	err := p.API.Get(ctx, client.ObjectKeyFromObject(object), object)
	if _, secret := object.(*corev1.Secret); err == nil && !secret {
		p.Ledger.tell(object)
	}
	Expect(client.IgnoreNotFound(p.API.Delete(ctx, object))).To(Succeed(), "deleting %s", describe(object))
}

// Namespace creates a namespace where it is missing.
func (p *Plane) Namespace(ctx context.Context, name string, labels map[string]string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{}
	namespace.Name, namespace.Labels = name, labels
	err := p.API.Create(ctx, namespace)
	if !apierrors.IsAlreadyExists(err) {
		Expect(err).NotTo(HaveOccurred())
	}
}

// Patch changes an object by a merge patch, whoever changes it at the same time.
func Patch[T client.Object](ctx context.Context, p *Plane, object T, change func(T)) {
	GinkgoHelper()
	Expect(p.API.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	before := object.DeepCopyObject().(client.Object)
	change(object)
	Expect(p.API.Patch(ctx, object, client.MergeFrom(before))).To(Succeed(), "changing %s", describe(object))
}

func describe(object client.Object) string {
	return fmt.Sprintf("%T %s", object, client.ObjectKeyFromObject(object))
}
