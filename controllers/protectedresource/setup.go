// SPDX-License-Identifier: Apache-2.0

package protectedresource

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
)

// Indexes find objects of one account, or of the console, without looking at all.
const (
	clientsIndex   = "claviger.dev/clients-of"
	resourcesIndex = "claviger.dev/resources-of"
)

// settle is how long the count of callers waits for more changes of credentials, so that a thousand that are applied at once cost
// one count and not a thousand.
const settle = 2 * time.Second

// holder gives the value of both indexes. No Account can be called as the console is here.
func holder(accountID string) string {
	if accountID == "" {
		return "/console"
	}
	return accountID
}

// SetupWithManager registers the controller: it runs for a resource when that, another one of its URL, its Account, the labels of
// its namespace or, after a moment, a credential that may call it changes. kube.IndexResources has been called.
func (r *Reconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager) error {
	if err := index(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.ProtectedResource{}).
		Watches(&v1alpha1.ProtectedResource{}, r.enqueue(func(object client.Object) []client.ListOption {
			url := credential.ReadResource(object.(*v1alpha1.ProtectedResource)).ID
			return []client.ListOption{client.MatchingFields{kube.ResourceURLIndex: url}}
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Account{}, r.enqueue(func(account client.Object) []client.ListOption {
			return []client.ListOption{client.MatchingFields{resourcesIndex: account.GetName()}}
		})).
		WatchesMetadata(kube.NamespaceMetadata(), r.enqueue(func(namespace client.Object) []client.ListOption {
			return []client.ListOption{client.InNamespace(namespace.GetName())}
		}), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.ClientCredential{}, r.enqueueLater(), builder.WithPredicates(maybeCaller)).
		Complete(r)
}

// maybeCaller passes what may make a caller of a credential, or end it: its spec, and the verdict about it.
var maybeCaller = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool { return isAllowed(e.ObjectOld) != isAllowed(e.ObjectNew) },
})

func isAllowed(object client.Object) bool {
	return meta.IsStatusConditionTrue(object.(*v1alpha1.ClientCredential).Status.Conditions, v1alpha1.ConditionAllowed)
}

func index(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.ClientCredential{}, clientsIndex, func(object client.Object) []string {
		return []string{accountOf(object.(*v1alpha1.ClientCredential).Spec.AccountRef)}
	})
	if err != nil {
		return fmt.Errorf("indexing ClientCredentials: %w", err)
	}
	err = indexer.IndexField(ctx, &v1alpha1.ProtectedResource{}, resourcesIndex, func(object client.Object) []string {
		return []string{accountOf(object.(*v1alpha1.ProtectedResource).Spec.AccountRef)}
	})
	if err != nil {
		return fmt.Errorf("indexing ProtectedResources: %w", err)
	}
	return nil
}

func accountOf(ref *v1alpha1.AccountReference) string {
	if ref == nil {
		return holder("")
	}
	return holder(ref.Name)
}

// enqueue asks for every resource that an object's change may concern.
func (r *Reconciler) enqueue(concerned func(client.Object) []client.ListOption) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		return r.list(ctx, object, concerned(object)...)
	})
}

func (r *Reconciler) list(ctx context.Context, concerning client.Object, options ...client.ListOption) []reconcile.Request {
	var resources v1alpha1.ProtectedResourceList
	if err := r.List(ctx, &resources, options...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing resources from the cache", "concerning", client.ObjectKeyFromObject(concerning))
		return nil
	}
	requests := make([]reconcile.Request, len(resources.Items))
	for i := range resources.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&resources.Items[i])
	}
	return requests
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// enqueueLater asks, after a moment, for the resources that a credential may call, and those that it might call before.
func (r *Reconciler) enqueueLater() handler.EventHandler {
	later := func(ctx context.Context, q queue, credentials ...client.Object) {
		for _, object := range credentials {
			account := accountOf(object.(*v1alpha1.ClientCredential).Spec.AccountRef)
			for _, request := range r.list(ctx, object, client.MatchingFields{resourcesIndex: account}) {
				q.AddAfter(request, settle)
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { later(ctx, q, e.Object) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) { later(ctx, q, e.ObjectOld, e.ObjectNew) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { later(ctx, q, e.Object) },
	}
}
