// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
)

// workers reconcile at the same time. Each may wait for an issuer.
const workers = 4

// SetupWithManager registers the controller: it runs for a Connector when its spec or its app registration changes.
// kube.IndexRegistrations must have been called.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	built, err := ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.Connector{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Build(r)
	if err != nil {
		return fmt.Errorf("building the controller: %w", err)
	}
	r.imported = r.Versions.For(built, handler.EnqueueRequestsFromMapFunc(r.registeredBy))
	return nil
}

// registeredBy finds the Connectors whose app registration a Secret is.
func (r *Reconciler) registeredBy(ctx context.Context, secret client.Object) []reconcile.Request {
	if secret.GetNamespace() != r.Namespace {
		return nil
	}
	var entries v1alpha1.ConnectorList
	if err := r.List(ctx, &entries, client.MatchingFields{kube.RegistrationIndex: secret.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing Connectors from the cache", "concerning", client.ObjectKeyFromObject(secret))
	}
	requests := make([]reconcile.Request, len(entries.Items))
	for i := range entries.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&entries.Items[i])
	}
	return requests
}
