// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
)

// Indexes find credentials without looking at all of them.
const (
	accountIndex   = "spec.accountRef.name"
	clientIDIndex  = "status.clientID"
	secretRefIndex = "spec.secretRef.name" //nolint:gosec // G101: a field, not a credential
	resourcesIndex = "spec.resources"
	// tokenIDIndex finds the revocation of a token.
	tokenIDIndex = "spec.tokenID"
)

// workers reconcile at the same time. Each waits for the API server most of its time.
const workers = 8

// SetupWithManager registers the controller: it runs for a credential when that, one of its Secrets, the spec of its Account,
// the labels of its namespace, another claimant of its client ID, one of its resources, a revocation of one of its tokens, the
// pepper, the signing keys or the certificates that verify the issuer change.
func (r *Reconciler) SetupWithManager(ctx context.Context, manager ctrl.Manager) error {
	if err := index(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	built, err := ctrl.NewControllerManagedBy(manager).
		For(&v1alpha1.ClientCredential{}).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ownersOf)).
		Watches(&v1alpha1.ClientCredential{}, r.enqueue(func(object client.Object) []client.ListOption {
			return []client.ListOption{client.MatchingFields{clientIDIndex: credential.ClientID(object.(*v1alpha1.ClientCredential))}}
		})).
		Watches(&v1alpha1.ProtectedResource{}, r.enqueue(func(resource client.Object) []client.ListOption {
			url := credential.ReadResource(resource.(*v1alpha1.ProtectedResource)).ID
			return []client.ListOption{client.MatchingFields{resourcesIndex: url}}
		}), builder.WithPredicates(verdictChanged)).
		Watches(&v1alpha1.RevokedToken{}, r.enqueue(func(revoked client.Object) []client.ListOption {
			return []client.ListOption{client.MatchingFields{clientIDIndex: revoked.(*v1alpha1.RevokedToken).Spec.ClientID}}
		})).
		Watches(&v1alpha1.Account{}, r.enqueue(func(account client.Object) []client.ListOption {
			return []client.ListOption{client.MatchingFields{accountIndex: account.GetName()}}
		}), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, anotherObject))).
		WatchesMetadata(kube.NamespaceMetadata(), r.enqueue(func(namespace client.Object) []client.ListOption {
			return []client.ListOption{client.InNamespace(namespace.GetName())}
		}), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&corev1.Secret{}, r.enqueue(func(client.Object) []client.ListOption {
			return nil // every digest is made with the pepper, and every delivered token with a signing key
		}), builder.WithPredicates(predicate.NewPredicateFuncs(r.isKeyMaterial))).
		WatchesRawSource(source.Channel(r.Trust.Changes(), r.enqueue(func(client.Object) []client.ListOption {
			return nil // every Secret has the certificates that verify the issuer
		}))).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Build(r)
	if err != nil {
		return fmt.Errorf("building the controller: %w", err)
	}
	r.imported = r.Versions.For(built, r.enqueue(func(secret client.Object) []client.ListOption {
		return []client.ListOption{client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretRefIndex: secret.GetName()}}
	}))
	return nil
}

// anotherObject passes updates that are none: an object that was deleted and made anew while the watch was interrupted.
var anotherObject = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc:  func(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() },
}

// verdictChanged passes updates of a resource that may decide over it: of its spec, and of the verdict in its status.
var verdictChanged = predicate.Or(predicate.GenerationChangedPredicate{}, anotherObject, predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool { return allowedReason(e.ObjectOld) != allowedReason(e.ObjectNew) },
})

func allowedReason(object client.Object) string {
	allowed := meta.FindStatusCondition(object.(*v1alpha1.ProtectedResource).Status.Conditions, v1alpha1.ConditionAllowed)
	if allowed == nil {
		return ""
	}
	return allowed.Reason
}

func index(ctx context.Context, indexer client.FieldIndexer) error {
	for name, value := range map[string]func(*v1alpha1.ClientCredential) string{
		clientIDIndex: credential.ClientID,
		accountIndex: func(object *v1alpha1.ClientCredential) string {
			if ref := object.Spec.AccountRef; ref != nil {
				return ref.Name
			}
			return ""
		},
		secretRefIndex: func(object *v1alpha1.ClientCredential) string {
			if ref := object.Spec.SecretRef; ref != nil {
				return ref.Name
			}
			return ""
		},
	} {
		err := indexer.IndexField(ctx, &v1alpha1.ClientCredential{}, name, func(object client.Object) []string {
			if text := value(object.(*v1alpha1.ClientCredential)); text != "" {
				return []string{text}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("indexing ClientCredentials by %s: %w", name, err)
		}
	}
	err := indexer.IndexField(ctx, &v1alpha1.ClientCredential{}, resourcesIndex, func(object client.Object) []string {
		return credential.ReadClient(object.(*v1alpha1.ClientCredential)).Resources
	})
	if err != nil {
		return fmt.Errorf("indexing ClientCredentials by %s: %w", resourcesIndex, err)
	}
	err = indexer.IndexField(ctx, &v1alpha1.RevokedToken{}, tokenIDIndex, func(object client.Object) []string {
		return []string{object.(*v1alpha1.RevokedToken).Spec.TokenID}
	})
	if err != nil {
		return fmt.Errorf("indexing RevokedTokens: %w", err)
	}
	return kube.IndexByOwner(ctx, indexer, kind)
}

// ownersOf finds the credential that a Secret belongs to or belonged to, whether or not it still exists.
func ownersOf(_ context.Context, secret client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range kube.OwnerNames(secret, kind) {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: name}})
	}
	return requests
}

func (r *Reconciler) isKeyMaterial(object client.Object) bool {
	name := object.GetName()
	return object.GetNamespace() == r.OperatorNamespace && (name == v1alpha1.PepperSecretName || name == v1alpha1.SigningKeysSecretName)
}

// enqueue asks for every credential that an object's change may concern, but for the object itself.
func (r *Reconciler) enqueue(concerned func(client.Object) []client.ListOption) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		var credentials v1alpha1.ClientCredentialList
		if err := r.List(ctx, &credentials, concerned(object)...); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "Listing credentials from the cache", "concerning", client.ObjectKeyFromObject(object))
			return nil
		}
		var requests []reconcile.Request
		for i := range credentials.Items {
			if metav1.Object(&credentials.Items[i]).GetUID() != object.GetUID() {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&credentials.Items[i])})
			}
		}
		return requests
	})
}
