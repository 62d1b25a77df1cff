// SPDX-License-Identifier: Apache-2.0

// Package revokedtoken removes RevokedTokens that are no longer needed.
package revokedtoken

import (
	"context"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

const (
	// keep is how long a RevokedToken outlives its token: the clock of a token service may be behind ours.
	keep = time.Minute
	// longestSleep bounds how long a clock that has jumped goes unnoticed.
	longestSleep = time.Hour
)

// Reconciler deletes RevokedTokens whose token has expired. All of its fields are required.
type Reconciler struct {
	// Client reads from a cache that holds only the RevokedTokens of the operator's namespace. Those of others have no effect, and
	// are left alone.
	client.Client
	Now func() time.Time
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).For(&v1alpha1.RevokedToken{}).Complete(r)
}

// Reconcile deletes one RevokedToken once its token has expired everywhere, or looks again then.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	revoked := &v1alpha1.RevokedToken{}
	if err := r.Get(ctx, request.NamespacedName, revoked); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if left := revoked.Spec.ExpiresAt.Add(keep).Sub(r.Now()); left > 0 {
		return ctrl.Result{RequeueAfter: min(left, longestSleep)}, nil
	}
	err := r.Delete(ctx, revoked, client.Preconditions{UID: &revoked.UID}) // and not what somebody has put in its place
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("deleting RevokedToken %s: %w", request, err)
	}
	return ctrl.Result{}, nil
}
