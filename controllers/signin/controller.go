// SPDX-License-Identifier: Apache-2.0

// Package signin removes the Secrets of sign-ins that are over.
package signin

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/claviger/claviger/api/v1alpha1"
)

const (
	// longestSleep bounds how long a clock that has jumped goes unnoticed.
	longestSleep = time.Hour
	// staleRetry is when to look again where the cache was behind.
	staleRetry = time.Second
)

// Reconciler deletes the Secrets of sign-ins once the time that they name is over. All of its fields are required.
type Reconciler struct {
	client.Client
	// Namespace is the connections namespace. A Secret of another one is somebody else's, whatever labels it has.
	Namespace string
	Now       func() time.Time
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).Named("signin").
		For(&corev1.Secret{}, builder.WithPredicates(predicate.NewPredicateFuncs(r.isSignIn))).
		Complete(r)
}

func (r *Reconciler) isSignIn(secret client.Object) bool {
	return secret.GetNamespace() == r.Namespace && secret.GetLabels()[v1alpha1.LabelSecret] == v1alpha1.PurposeSignIn
}

// Reconcile deletes one Secret when its time is over, or looks again then. One that names no time is left alone.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	secret := &corev1.Secret{}
	if err := r.Get(ctx, request.NamespacedName, secret); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	at, err := time.Parse(time.RFC3339, secret.Annotations[v1alpha1.AnnotationExpiresAt])
	if err != nil || !r.isSignIn(secret) {
		return ctrl.Result{}, nil //nolint:nilerr // not one of ours
	}
	if left := at.Sub(r.Now()); left > 0 {
		return ctrl.Result{RequeueAfter: min(left, longestSleep)}, nil
	}
	// And not one that has a longer life meanwhile, or that somebody has put in its place.
	err = r.Delete(ctx, secret, client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion})
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: staleRetry}, nil
	}
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("deleting Secret %s: %w", request, err)
	}
	return ctrl.Result{}, nil
}
