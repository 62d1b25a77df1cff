// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	if err := apply(ctx, api, append(crds, rbac...)); err != nil {
		return err
	}
	return waitEstablished(ctx, api, crds)
}

func apply(ctx context.Context, api client.Client, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		wanted := client.ApplyConfigurationFromUnstructured(object)
		if err := api.Apply(ctx, wanted, fieldOwner, client.ForceOwnership); err != nil {
			return fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
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
