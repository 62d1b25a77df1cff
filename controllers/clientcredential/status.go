// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
)

// summarize writes the status that the scope stands for.
func (s *scope) summarize(now time.Time) {
	if !s.judged {
		return // nothing was learned: what the status says is still the best that is known
	}
	status := &s.object.Status
	status.ObservedGeneration = s.object.Generation
	// A client ID that comes with a Secret stays once it is here, so it must have been good for something.
	if s.object.Spec.SecretRef == nil || s.established() != "" || (s.imported.ClientID != "" && s.verdict == nil) {
		status.ClientID = s.client.ID
	}
	if s.lifetime > 0 {
		status.TokenExpiryMinutes = int32(s.lifetime / time.Minute) //nolint:gosec // G115: at most a year
	}
	if s.bound {
		status.Binding = &v1alpha1.SecretBinding{Name: s.bindingName()}
		status.Rotation = s.rotation.Status(s.todo.Made)
	}
	parts := []metav1.Condition{s.allowed(), s.secretPublished()}
	if valid, given := s.keysValid(); given {
		parts = append(parts, valid)
	} else {
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionKeysValid)
	}
	if found, named := s.resourcesFound(); named {
		parts = append(parts, found)
	} else {
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionResourcesFound)
	}
	for _, part := range parts {
		s.set(now, part)
	}
	s.set(now, ready(s.bindingName(), parts...))
	s.setOrRemove(now, v1alpha1.ConditionReconciling, s.obstacle(), fault.Waiting)
	s.setOrRemove(now, v1alpha1.ConditionStalled, s.obstacle(), fault.Terminal)
}

// allowed is the condition Allowed: the verdict of the rules.
func (s *scope) allowed() metav1.Condition {
	if s.verdict == nil {
		return condition(v1alpha1.ConditionAllowed, metav1.ConditionTrue, v1alpha1.ReasonAllowed, "The rules allow this credential"+s.capped())
	}
	found, _ := fault.As(s.verdict)
	return condition(v1alpha1.ConditionAllowed, metav1.ConditionFalse, found.Reason, found.Message)
}

// capped says that tokens live shorter than the spec asks for.
func (s *scope) capped() string {
	asked := time.Duration(s.object.Spec.TokenExpiryMinutes) * time.Minute
	if asked <= s.lifetime {
		return ""
	}
	return fmt.Sprintf("; its tokens live %d minutes, which is the maximum here, and not %d", s.lifetime/time.Minute, asked/time.Minute)
}

// secretPublished is the condition SecretPublished.
func (s *scope) secretPublished() metav1.Condition {
	const name = v1alpha1.ConditionSecretPublished
	if s.published {
		return condition(name, metav1.ConditionTrue, v1alpha1.ReasonPublished, "Secret "+s.bindingName()+" holds the current client secret")
	}
	if s.verdict != nil {
		return condition(name, metav1.ConditionUnknown, v1alpha1.ReasonNotAttempted, "The Secret is left as it is while the credential is not allowed")
	}
	if found, ok := fault.As(s.publishErr); ok {
		return condition(name, metav1.ConditionFalse, found.Reason, found.Message)
	}
	return condition(name, metav1.ConditionFalse, v1alpha1.ReasonWriteFailed, writeFailure(s.publishErr))
}

// keysValid is the condition KeysValid, which is there only where the spec has keys.
func (s *scope) keysValid() (metav1.Condition, bool) {
	const name = v1alpha1.ConditionKeysValid
	if found, is := fault.As(s.client.KeysErr); is {
		return condition(name, metav1.ConditionFalse, found.Reason, found.Message), true
	}
	given := s.object.Spec.JWKS != "" || len(s.object.Spec.PublicKeys) > 0
	return condition(name, metav1.ConditionTrue, v1alpha1.ReasonValid, "Every key can be used"), given
}

// writeFailure says what the API server said in its own short reason: the full text of an error may quote an object.
func writeFailure(err error) string {
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown {
		return fmt.Sprintf("The API server answered %s; trying again", reason)
	}
	return "The API server could not be reached or did not answer; trying again"
}

// ready is the condition Ready: the first condition that is not met, or success.
func ready(secretName string, conditions ...metav1.Condition) metav1.Condition {
	for _, c := range conditions {
		if c.Status != metav1.ConditionTrue {
			return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, c.Reason, c.Message)
		}
	}
	return condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonIssued,
		"Secret "+secretName+" can be traded for tokens")
}

// obstacle is what keeps the credential from being Ready, or nil.
func (s *scope) obstacle() error {
	if s.verdict != nil {
		return s.verdict
	}
	if s.publishErr != nil {
		return s.publishErr
	}
	if s.client.KeysErr != nil {
		return s.client.KeysErr
	}
	return s.resourcesErr
}

// setOrRemove sets an abnormal-true condition while there is an obstacle of that kind. An error that is no fault counts
// as waiting: it is tried again.
func (s *scope) setOrRemove(now time.Time, name string, obstacle error, kind fault.Kind) {
	found, isFault := fault.As(obstacle)
	switch {
	case isFault && found.Kind == kind:
		s.set(now, condition(name, metav1.ConditionTrue, found.Reason, found.Message))
	case !isFault && obstacle != nil && kind == fault.Waiting:
		s.set(now, condition(name, metav1.ConditionTrue, v1alpha1.ReasonWriteFailed, writeFailure(obstacle)))
	default:
		meta.RemoveStatusCondition(&s.object.Status.Conditions, name)
	}
}

func (s *scope) set(now time.Time, c metav1.Condition) {
	c.ObservedGeneration = s.object.Generation
	c.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	meta.SetStatusCondition(&s.object.Status.Conditions, c)
}

func condition(name string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, Reason: reason, Message: message}
}
