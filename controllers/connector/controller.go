// SPDX-License-Identifier: Apache-2.0

// Package connector reconciles Connectors: it shows whether accounts can be connected through one.
package connector

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/discovery"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
)

// longestSleep bounds how long a clock that has jumped goes unnoticed.
const longestSleep = time.Hour

// Reconciler reconciles Connectors. All of its fields are required.
type Reconciler struct {
	client.Client
	// Live reads from the API server.
	Live client.Reader
	// Versions tells of changes of app registrations.
	Versions *kube.SecretVersions
	// Namespace is the connections namespace.
	Namespace string
	// AllowHTTP lets URLs be http.
	AllowHTTP bool
	// Discovery asks issuers for their endpoints.
	Discovery *discovery.Client
	// RedirectURI gives the redirect URI of a Connector by its name.
	RedirectURI func(connector string) string
	Now         func() time.Time

	questions questions
	imported  *kube.SecretWatch
}

// Reconcile writes the status of one Connector where it differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.Connector{}
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		if apierrors.IsNotFound(err) {
			r.questions.forget(request.Name)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	stored := object.DeepCopy()
	again, verdict := r.judge(ctx, object)
	found, isFault := fault.As(verdict)
	if verdict != nil && !isFault {
		return ctrl.Result{}, verdict
	}
	r.summarize(object, found)
	if !equality.Semantic.DeepEqual(stored.Status, object.Status) {
		if err := r.Status().Patch(ctx, object, client.MergeFrom(stored)); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing the status of Connector %s: %w", object.Name, err)
		}
	}
	if again.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: min(max(again.Sub(r.Now()), time.Second), longestSleep)}, nil
}

// judge says whether a Connector can be used, and when to look again, or zero.
func (r *Reconciler) judge(ctx context.Context, object *v1alpha1.Connector) (time.Time, error) {
	if err := Judge(object, r.AllowHTTP); err != nil {
		return time.Time{}, err
	}
	again, err := r.discover(ctx, object)
	if err != nil {
		return again, err
	}
	return again, r.registered(ctx, object)
}

// summarize writes the status that a verdict stands for; it is nil where there is nothing in the way.
func (r *Reconciler) summarize(object *v1alpha1.Connector, verdict *fault.Fault) {
	object.Status.ObservedGeneration = object.Generation
	object.Status.RedirectURI = ""
	if object.Spec.Grant == v1alpha1.GrantAuthorizationCode {
		object.Status.RedirectURI = r.RedirectURI(object.Name)
	}
	set := func(name string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&object.Status.Conditions, metav1.Condition{
			Type: name, Status: status, Reason: reason, Message: message, ObservedGeneration: object.Generation,
			LastTransitionTime: metav1.NewTime(r.Now().Truncate(time.Second)),
		})
	}
	meta.RemoveStatusCondition(&object.Status.Conditions, v1alpha1.ConditionReconciling)
	meta.RemoveStatusCondition(&object.Status.Conditions, v1alpha1.ConditionStalled)
	if verdict == nil {
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "Accounts can be connected to "+object.Spec.DisplayName)
		return
	}
	set(v1alpha1.ConditionReady, metav1.ConditionFalse, verdict.Reason, verdict.Message)
	abnormal := v1alpha1.ConditionStalled
	if verdict.Kind == fault.Waiting {
		abnormal = v1alpha1.ConditionReconciling
	}
	set(abnormal, metav1.ConditionTrue, verdict.Reason, verdict.Message)
}
