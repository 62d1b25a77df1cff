// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// actionReconcile is the action of events (what the controller did).
const actionReconcile = "Reconcile"

// tell records an event where Ready has changed, and one where RefreshHealthy has become False or is no longer, unless Ready says the
// same.
func (r *Reconciler) tell(s *scope) {
	was := func(name string) *metav1.Condition { return meta.FindStatusCondition(s.stored.Status.Conditions, name) }
	is := func(name string) *metav1.Condition { return meta.FindStatusCondition(s.object.Status.Conditions, name) }
	ready := is(v1alpha1.ConditionReady)
	if changed(was(v1alpha1.ConditionReady), ready) {
		r.event(s, *ready)
	}
	before, healthy := was(v1alpha1.ConditionRefreshHealthy), is(v1alpha1.ConditionRefreshHealthy)
	if !changed(before, healthy) || ready != nil && ready.Reason == healthy.Reason {
		return
	}
	wasFailing := before != nil && before.Status == metav1.ConditionFalse
	if healthy.Status == metav1.ConditionFalse || healthy.Status == metav1.ConditionTrue && wasFailing {
		r.event(s, *healthy)
	}
}

func changed(before, now *metav1.Condition) bool {
	return now != nil && (before == nil || before.Status != now.Status || before.Reason != now.Reason)
}

func (r *Reconciler) event(s *scope, about metav1.Condition) {
	severity := corev1.EventTypeWarning
	if about.Status == metav1.ConditionTrue {
		severity = corev1.EventTypeNormal
	}
	r.Recorder.Eventf(s.object, nil, severity, about.Reason, actionReconcile, "%s", about.Message)
}
