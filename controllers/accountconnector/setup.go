// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
)

// Indexes find connections without looking at all of them.
const (
	accountIndex   = "spec.accountRef.name"
	connectorIndex = "spec.connectorRef.name"
	secretIndex    = "spec.secretKeyRef.name" //nolint:gosec // G101: a field, not a credential
)

// workers reconcile at the same time. Each waits for providers most of its time, and no provider's host has more than a few of them:
// it takes eight that are away at once to have all workers wait, and that for one timeout.
const workers = 32

// After a failure of the API server a connection is looked at again within mostRetry, whatever has failed how often: a token that is due
// does not wait. What a provider does is no such failure.
const (
	leastRetry = 5 * time.Millisecond
	mostRetry  = 30 * time.Second
)

// SetupWithManager registers the controller: it runs for a connection when that, its output Secret, its record, its Connector, a Secret
// that either refers to, the spec of its Account or the labels of its namespace change. kube.IndexRegistrations must have been called.
func (r *Reconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager) error {
	if err := index(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	built, err := ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.AccountConnector{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.ownersOf)).
		Watches(&v1alpha1.Connector{}, r.enqueue(func(object client.Object) client.ListOption {
			return client.MatchingFields{connectorIndex: object.GetName()}
		}), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, endpointsChanged))).
		Watches(&v1alpha1.Account{}, r.enqueue(func(object client.Object) client.ListOption {
			return client.MatchingFields{accountIndex: object.GetName()}
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(kube.NamespaceMetadata(), r.enqueue(func(object client.Object) client.ListOption {
			return client.InNamespace(object.GetName())
		}), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(r.sweep(manager.GetCache())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](leastRetry, mostRetry),
		}).
		Build(r)
	if err != nil {
		return fmt.Errorf("building the controller: %w", err)
	}
	r.imported = r.Versions.For(built, handler.EnqueueRequestsFromMapFunc(r.referrersTo))
	return nil
}

func index(ctx context.Context, indexer client.FieldIndexer) error {
	for name, values := range map[string]func(*v1alpha1.AccountConnector) []string{
		accountIndex:   func(object *v1alpha1.AccountConnector) []string { return []string{object.Spec.AccountRef.Name} },
		connectorIndex: func(object *v1alpha1.AccountConnector) []string { return []string{object.Spec.ConnectorRef.Name} },
		secretIndex:    secretNames,
	} {
		err := indexer.IndexField(ctx, &v1alpha1.AccountConnector{}, name, func(object client.Object) []string {
			return values(object.(*v1alpha1.AccountConnector))
		})
		if err != nil {
			return fmt.Errorf("indexing AccountConnectors by %s: %w", name, err)
		}
	}
	return nil
}

// endpointsChanged passes updates of a Connector whose issuer has published others.
var endpointsChanged = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, now := e.ObjectOld.(*v1alpha1.Connector).Status.Discovered, e.ObjectNew.(*v1alpha1.Connector).Status.Discovered
		return !equality.Semantic.DeepEqual(before, now)
	},
}

// ownersOf finds the connection that an output Secret belongs to, or that a record is of.
func (r *Reconciler) ownersOf(_ context.Context, secret client.Object) []reconcile.Request {
	var requests []reconcile.Request
	add := func(namespace, name string) {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	}
	for _, name := range kube.OwnerNames(secret, kind) {
		add(secret.GetNamespace(), name)
	}
	namespace, name, is := strings.Cut(secret.GetAnnotations()[v1alpha1.AnnotationConnection], "/")
	if is && secret.GetNamespace() == r.Grants.Namespace {
		add(namespace, name)
	}
	return requests
}

// referrersTo finds the connections that a Secret of somebody else's concerns: those that refer to it, and all through a Connector whose
// app registration it is.
func (r *Reconciler) referrersTo(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := r.connections(ctx, client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretIndex: secret.GetName()})
	if secret.GetNamespace() != r.Grants.Namespace {
		return requests
	}
	var entries v1alpha1.ConnectorList
	if err := r.List(ctx, &entries, client.MatchingFields{kube.RegistrationIndex: secret.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing Connectors from the cache", "concerning", client.ObjectKeyFromObject(secret))
	}
	for i := range entries.Items {
		requests = append(requests, r.connections(ctx, client.MatchingFields{connectorIndex: entries.Items[i].Name})...)
	}
	return requests
}

// enqueue asks for every connection that an object's change may concern.
func (r *Reconciler) enqueue(concerned func(client.Object) client.ListOption) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		return r.connections(ctx, concerned(object))
	})
}

func (r *Reconciler) connections(ctx context.Context, which ...client.ListOption) []reconcile.Request {
	var connections v1alpha1.AccountConnectorList
	if err := r.List(ctx, &connections, which...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing connections from the cache")
		return nil
	}
	requests := make([]reconcile.Request, len(connections.Items))
	for i := range connections.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&connections.Items[i])
	}
	return requests
}
