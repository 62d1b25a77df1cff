// SPDX-License-Identifier: Apache-2.0

// Package account reconciles Accounts: it shows whether an Account can be used.
package account

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
)

// Reconciler reconciles Accounts. All of its fields are required.
type Reconciler struct {
	client.Client
	Now func() time.Time
}

// SetupWithManager registers the controller. It runs for every change, also one of the status: what it finds as it should
// be costs no write.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).For(&v1alpha1.Account{}).Complete(r)
}

// Reconcile writes the status of one Account where it differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	account := &v1alpha1.Account{}
	if err := r.Get(ctx, request.NamespacedName, account); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	stored := account.DeepCopy()
	account.Status.ObservedGeneration = account.Generation
	ready := readyCondition(account)
	ready.LastTransitionTime = metav1.NewTime(r.Now().Truncate(time.Second))
	meta.SetStatusCondition(&account.Status.Conditions, ready)
	if stalled, is := stalledCondition(ready); is {
		meta.SetStatusCondition(&account.Status.Conditions, stalled)
	} else {
		meta.RemoveStatusCondition(&account.Status.Conditions, v1alpha1.ConditionStalled)
	}
	if equality.Semantic.DeepEqual(stored.Status, account.Status) {
		return ctrl.Result{}, nil
	}
	if err := r.Status().Patch(ctx, account, client.MergeFrom(stored)); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("writing the status of Account %s: %w", account.Name, err)
	}
	return ctrl.Result{}, nil
}

// readyCondition is the condition Ready of an Account.
func readyCondition(account *v1alpha1.Account) metav1.Condition {
	ready := metav1.Condition{
		Type:               v1alpha1.ConditionReady,
		Status:             metav1.ConditionTrue,
		Reason:             v1alpha1.ReasonActive,
		Message:            "Credentials of this account may be used",
		ObservedGeneration: account.Generation,
	}
	if _, err := credential.ReadAccount(account); err != nil {
		found, _ := fault.As(err)
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, found.Reason, found.Message
	}
	switch {
	case !account.DeletionTimestamp.IsZero():
		ready.Status, ready.Reason = metav1.ConditionFalse, v1alpha1.ReasonDeleting
		ready.Message = "the Account is being deleted: no token of it works"
	case account.Spec.Suspend:
		ready.Status, ready.Reason = metav1.ConditionFalse, v1alpha1.ReasonSuspended
		ready.Message = "spec.suspend is true: no token of this account works"
	}
	return ready
}

// stalledCondition is the condition Stalled: whatever keeps an Account from being Ready takes a human to change,
// but for a deletion, which goes on by itself.
func stalledCondition(ready metav1.Condition) (metav1.Condition, bool) {
	if ready.Status == metav1.ConditionTrue || ready.Reason == v1alpha1.ReasonDeleting {
		return metav1.Condition{}, false
	}
	ready.Type, ready.Status = v1alpha1.ConditionStalled, metav1.ConditionTrue
	return ready, true
}
