// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
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

// accountIndex finds the credentials of an account without looking at all others.
const accountIndex = "spec.accountRef.name"

// workers reconcile at the same time. Each waits for the API server most of its time.
const workers = 8

// SetupWithManager registers the controller: it runs for a credential when that, its Secret, the spec of its Account, the
// labels of its namespace, or the pepper changes.
func (r *Reconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager) error {
	err := manager.GetFieldIndexer().IndexField(ctx, &v1alpha1.ClientCredential{}, accountIndex, accountOf)
	if err != nil {
		return fmt.Errorf("indexing ClientCredentials by account: %w", err)
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.ClientCredential{}).
		Owns(&corev1.Secret{}).
		Watches(&v1alpha1.Account{}, r.enqueue(func(account client.Object) client.ListOption {
			return client.MatchingFields{accountIndex: account.GetName()}
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(kube.NamespaceMetadata(), r.enqueue(func(namespace client.Object) client.ListOption {
			return client.InNamespace(namespace.GetName())
		}), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&corev1.Secret{}, r.enqueue(func(client.Object) client.ListOption {
			return client.InNamespace(corev1.NamespaceAll) // every digest is made with the pepper
		}), builder.WithPredicates(predicate.NewPredicateFuncs(r.isPepper))).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

func accountOf(object client.Object) []string {
	if ref := object.(*v1alpha1.ClientCredential).Spec.AccountRef; ref != nil {
		return []string{ref.Name}
	}
	return nil
}

func (r *Reconciler) isPepper(object client.Object) bool {
	return object.GetNamespace() == r.OperatorNamespace && object.GetName() == v1alpha1.PepperSecretName
}

// enqueue asks for every credential that an object's change may concern.
func (r *Reconciler) enqueue(concerned func(client.Object) client.ListOption) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		var credentials v1alpha1.ClientCredentialList
		if err := r.List(ctx, &credentials, concerned(object)); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "Listing credentials from the cache", "concerning", client.ObjectKeyFromObject(object))
			return nil
		}
		requests := make([]reconcile.Request, len(credentials.Items))
		for i := range credentials.Items {
			requests[i].NamespacedName = client.ObjectKeyFromObject(&credentials.Items[i])
		}
		return requests
	})
}
