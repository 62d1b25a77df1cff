// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
)

// warnings notes what the API server warns of: also that pods violate the namespace's level of Pod Security.
type warnings struct{ t *testing.T }

// HandleWarningHeader implements rest.WarningHandler.
func (w warnings) HandleWarningHeader(_ int, _, text string) {
	w.t.Errorf("the API server warns: %s", text)
}

// unstructuredObject is any object.
type unstructuredObject = unstructured.Unstructured

// startControlPlane starts an API server, and fails where that warns of anything.
func startControlPlane(t *testing.T) *rest.Config {
	t.Helper()
	log.SetLogger(logr.Discard())
	environment := &envtest.Environment{}
	admin, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	admin.WarningHandler = warnings{t}
	return admin
}

func newClient(t *testing.T, access *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	api, err := client.New(access, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func namespaceOf(name string) *unstructuredObject {
	object := &unstructuredObject{}
	object.SetAPIVersion("v1")
	object.SetKind("Namespace")
	object.SetName(name)
	return object
}

// TestAnAPIServerTakesAllWithoutAComplaint, unknown fields included; and a second time, by which nothing changes.
func TestAnAPIServerTakesAllWithoutAComplaint(t *testing.T) {
	admin := startControlPlane(t)
	objects := byKustomize(t, "config/default")
	for name, object := range byHelm(t, "tokenService.autoscaling.enabled=true", "connect.autoscaling.enabled=true", "gate.rbac=true") {
		if objects[name] == nil {
			objects[name] = object
		}
	}
	api := apply(t, admin, objects)
	before := versions(t, api, objects)
	apply(t, admin, objects)
	for name, version := range versions(t, api, objects) {
		if version != before[name] {
			t.Errorf("%s changes with every sync", name)
		}
	}
}

func apply(t *testing.T, admin *rest.Config, objects map[string]*unstructured.Unstructured) client.Client {
	t.Helper()
	api := client.WithFieldValidation(newClient(t, admin), "Strict")
	put := func(object *unstructured.Unstructured) {
		if err := api.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object.DeepCopy()), client.FieldOwner("test"), client.ForceOwnership); err != nil {
			t.Errorf("%s: %v", key(object), err)
		}
	}
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			put(object)
		}
	}
	for _, object := range objects {
		if object.GetKind() != "Namespace" {
			put(object)
		}
	}
	return api
}

func versions(t *testing.T, api client.Client, objects map[string]*unstructured.Unstructured) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, object := range objects {
		now := &unstructured.Unstructured{}
		now.SetGroupVersionKind(object.GroupVersionKind())
		if err := api.Get(context.WithoutCancel(t.Context()), client.ObjectKeyFromObject(object), now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if object.GetKind() == "CustomResourceDefinition" {
			continue // the API server itself writes their status
		}
		found[name] = now.GetResourceVersion()
	}
	return found
}

// TestNamespacesAreRestricted, so that the API server itself refuses pods that ask for more.
func TestNamespacesAreRestricted(t *testing.T) {
	objects := byKustomize(t, "config/default")
	for _, name := range []string{config.Namespace, config.ConnectionsNamespace} {
		if level := objects["Namespace /"+name].GetLabels()["pod-security.kubernetes.io/enforce"]; level != "restricted" {
			t.Errorf("namespace %s enforces %q", name, level)
		}
	}
}
