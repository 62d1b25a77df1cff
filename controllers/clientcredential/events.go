// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// Actions of events (what the controller did).
const (
	actionReconcile = "Reconcile"
	actionReplace   = "ReplaceSecret"
	actionRemove    = "RemoveSecret"
)

// Reasons of events beside those of Ready.
const (
	// reasonRotated: there is a new client secret because a rotation was due, or its user has brought another.
	reasonRotated = "SecretRotated"
	// reasonReplaced: there is a new client secret because somebody has deleted or edited the Secret.
	reasonReplaced = "SecretReplaced"
	// reasonRemoved: a Secret of a former name was deleted.
	reasonRemoved = "SecretRemoved"
)

// maxNote is the API's bound on the note of an event, in bytes. A longer one would be refused, and the event lost.
const maxNote = 1024

// tell records an event where Ready has changed.
func (r *Reconciler) tell(s *scope) {
	now := meta.FindStatusCondition(s.object.Status.Conditions, v1alpha1.ConditionReady)
	before := s.readyBefore
	if now == nil || (before != nil && before.Status == now.Status && before.Reason == now.Reason) {
		return
	}
	kind := corev1.EventTypeWarning
	if now.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	r.Recorder.Eventf(s.object, nil, kind, now.Reason, actionReconcile, "%s", note(now.Message))
}

// note shortens a message to what an event may hold. The condition has the whole of it.
func note(message string) string {
	const ellipsis = "..."
	if len(message) <= maxNote {
		return message
	}
	return strings.ToValidUTF8(message[:maxNote-len(ellipsis)], "") + ellipsis
}

// why says in words what a cause is.
func why(cause credential.Cause) string {
	switch cause {
	case credential.CauseInterval:
		return "its interval was over"
	case credential.CauseTrigger:
		return "spec.rotation.trigger changed"
	case credential.CauseRequest:
		return "the annotation " + v1alpha1.AnnotationRotate + " changed"
	case credential.CauseImport:
		return "the Secret of spec.secretRef holds another"
	default:
		return "the Secret was deleted or edited, or spec.secretRef was taken away"
	}
}

// tellReplaced counts and tells that clients should take up a new secret, and until when the old one works.
func (r *Reconciler) tellReplaced(s *scope) {
	r.Rotations.WithLabelValues(string(s.todo.Cause)).Inc()
	before := "no longer works"
	if until := s.todo.Published.PreviousExpiry(); !until.IsZero() {
		before = "works until " + until.UTC().Format(time.RFC3339)
	}
	kind, reason := corev1.EventTypeNormal, reasonRotated
	if s.todo.Cause == credential.CauseHealing {
		kind, reason = corev1.EventTypeWarning, reasonReplaced
	}
	r.Recorder.Eventf(s.object, nil, kind, reason, actionReplace, "Secret %s has a new client secret under the same client ID: %s; the one before %s",
		s.bindingName(), why(s.todo.Cause), before)
}
