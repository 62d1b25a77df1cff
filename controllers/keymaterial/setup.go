// SPDX-License-Identifier: Apache-2.0

package keymaterial

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/claviger/claviger/api/v1alpha1"
)

// SetupWithManager registers the controller: it runs once at the start, when one of the Secrets changes or goes, and when
// something is due with the signing keys.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	start := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		for _, name := range names() {
			queue.Add(reconcile.Request{NamespacedName: r.key(name)})
		}
		return nil
	})
	return ctrl.NewControllerManagedBy(manager).
		Named("keymaterial").
		WatchesRawSource(start).
		Watches(&corev1.Secret{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(predicate.NewPredicateFuncs(r.isMaterial))).
		Complete(r)
}

// names are those of the two Secrets.
func names() []string {
	return []string{v1alpha1.PepperSecretName, v1alpha1.SigningKeysSecretName}
}

func (r *Reconciler) isMaterial(object client.Object) bool {
	for _, name := range names() {
		if client.ObjectKeyFromObject(object) == r.key(name) {
			return true
		}
	}
	return false
}
