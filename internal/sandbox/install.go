// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/config"
)

// fieldOwner names the sandbox as the owner of what it applies.
const fieldOwner = client.FieldOwner("claviger-sandbox")

// Install applies the operator's namespaces, CRDs and RBAC, and waits until the API server serves the kinds. Applying again
// changes nothing.
func Install(ctx context.Context, admin *rest.Config) error {
	api, err := client.New(admin, client.Options{})
	if err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	for _, name := range []string{config.Namespace, config.ConnectionsNamespace} {
		namespace := &corev1.Namespace{}
		namespace.Name = name
		if err := api.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating namespace %s: %w", name, err)
		}
	}
	crds, err := config.CRDs()
	if err != nil {
		return err
	}
	rbac, err := config.RBAC()
	if err != nil {
		return err
	}
	return Apply(ctx, api, fieldOwner, append(crds, rbac...))
}

// Apply applies objects in their order, but first those that others need, namespaces and CRDs, and waits until the API server
// serves the kinds. As with kubectl, an object that needs a namespace and names none is in default. Each becomes as the API server has it.
func Apply(ctx context.Context, api client.Client, owner client.FieldOwner, objects []*unstructured.Unstructured) error {
	var crds, first, rest []*unstructured.Unstructured
	for _, object := range objects {
		switch object.GroupVersionKind().GroupKind().String() {
		case "CustomResourceDefinition.apiextensions.k8s.io":
			crds = append(crds, object)
		case "Namespace":
			first = append(first, object)
		default:
			rest = append(rest, object)
		}
	}
	for _, object := range append(first, crds...) {
		if err := apply(ctx, api, owner, object); err != nil {
			return err
		}
	}
	if err := waitEstablished(ctx, api, crds); err != nil {
		return err
	}
	for _, object := range rest {
		if err := apply(ctx, api, owner, object); err != nil {
			return err
		}
	}
	return nil
}

func apply(ctx context.Context, api client.Client, owner client.FieldOwner, object *unstructured.Unstructured) error {
	if namespaced, err := api.IsObjectNamespaced(object); err == nil && namespaced && object.GetNamespace() == "" {
		object.SetNamespace(metav1.NamespaceDefault)
	}
	err := api.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), owner, client.ForceOwnership)
	if err == nil {
		return nil
	}
	if object.GetKind() == "Secret" { // what is wrong with a value may be told with the value
		return fmt.Errorf("applying Secret %s: the API server refused it: %s", client.ObjectKeyFromObject(object), apierrors.ReasonForError(err))
	}
	return fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
}

func waitEstablished(ctx context.Context, api client.Client, crds []*unstructured.Unstructured) error {
	for _, crd := range crds {
		current := &unstructured.Unstructured{}
		current.SetGroupVersionKind(crd.GroupVersionKind())
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(crd), current)
			return err == nil && established(current), client.IgnoreNotFound(err)
		})
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", crd.GetName(), err)
		}
	}
	return nil
}

func established(crd *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, entry := range conditions {
		condition, ok := entry.(map[string]any)
		if ok && condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}
