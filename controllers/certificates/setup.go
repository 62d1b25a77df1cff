// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/claviger/claviger/api/v1alpha1"
)

// SetupWithManager registers the controller: it runs once at the start, when one of the Secrets changes or goes, whoever made
// it, and every hour.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	// Both Secrets are looked at together, so there is one request.
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: r.Namespace, Name: v1alpha1.ServingSecretName}}
	start := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		queue.Add(request)
		return nil
	})
	changed := handler.TypedEnqueueRequestsFromMapFunc(func(context.Context, *corev1.Secret) []reconcile.Request {
		return []reconcile.Request{request}
	})
	ours := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request { return []reconcile.Request{request} })
	building := ctrl.NewControllerManagedBy(manager).Named("certificates").
		WatchesRawSource(start).
		// What is read from the manager's cache must be watched there: another cache may hear of a change before it.
		Watches(&corev1.Secret{}, ours, builder.WithPredicates(predicate.NewPredicateFuncs(r.isKept)))
	for _, name := range []string{v1alpha1.AuthoritySecretName, v1alpha1.ServingSecretName} {
		secrets, err := r.byName(manager, name)
		if err != nil {
			return err
		}
		building = building.WatchesRawSource(source.Kind(secrets, &corev1.Secret{}, changed))
	}
	return building.Complete(r)
}

func (r *Reconciler) isKept(secret client.Object) bool {
	name := secret.GetName()
	return secret.GetNamespace() == r.Namespace && (name == v1alpha1.AuthoritySecretName || name == v1alpha1.ServingSecretName)
}

// byName follows a Secret by its name. The manager's own cache has only those with our label, and this may be somebody else's.
func (r *Reconciler) byName(manager ctrl.Manager, name string) (cache.Cache, error) {
	secrets, err := cache.New(manager.GetConfig(), cache.Options{
		HTTPClient: manager.GetHTTPClient(), Scheme: manager.GetScheme(), Mapper: manager.GetRESTMapper(),
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{&corev1.Secret{}: {Namespaces: map[string]cache.Config{
			r.Namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", name)},
		}}},
	})
	if err != nil {
		return nil, fmt.Errorf("building the cache of Secret %s: %w", name, err)
	}
	if err := manager.Add(secrets); err != nil {
		return nil, fmt.Errorf("adding the cache of Secret %s: %w", name, err)
	}
	return secrets, nil
}
