// SPDX-License-Identifier: Apache-2.0

package protectedresource

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
)

// summarize writes the status that the findings stand for.
func (r *Reconciler) summarize(object *v1alpha1.ProtectedResource, found findings) {
	status, resource := &object.Status, found.resource
	status.ObservedGeneration = object.Generation
	status.Callers = &found.callers
	status.VerifyQuery = "resource=" + resource.Name
	status.MetadataURL = r.Issuer.ResourceMetadata(resource.Name)
	status.Scope = resource.Scopes.String()
	status.Audiences = []string{resource.URL}
	if !resource.RequireAudience && resource.URL != r.Issuer.String() {
		status.Audiences = append(status.Audiences, r.Issuer.String())
	}
	conditions := &conditions{object: object, now: r.Now()}
	conditions.set(allowed(found.verdict))
	conditions.set(ready(resource.URL, found.verdict))
	conditions.setOrRemove(v1alpha1.ConditionReconciling, found.verdict, fault.Waiting)
	conditions.setOrRemove(v1alpha1.ConditionStalled, found.verdict, fault.Terminal)
}

// allowed is the condition Allowed: the verdict of the rules.
func allowed(verdict error) metav1.Condition {
	if found, is := fault.As(verdict); is {
		return metav1.Condition{Type: v1alpha1.ConditionAllowed, Status: metav1.ConditionFalse, Reason: found.Reason, Message: found.Message}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionAllowed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAllowed, Message: "The rules allow this resource",
	}
}

// ready is the condition Ready: that of Allowed, or success.
func ready(url string, verdict error) metav1.Condition {
	if found, is := fault.As(verdict); is {
		return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: found.Reason, Message: found.Message}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRegistered, Message: "Tokens are issued for " + url,
	}
}

// conditions sets those of one object at one time.
type conditions struct {
	object *v1alpha1.ProtectedResource
	now    time.Time
}

func (c *conditions) set(condition metav1.Condition) {
	condition.ObservedGeneration = c.object.Generation
	condition.LastTransitionTime = metav1.NewTime(c.now.Truncate(time.Second))
	meta.SetStatusCondition(&c.object.Status.Conditions, condition)
}

// setOrRemove sets an abnormal-true condition while the verdict is a fault of that kind.
func (c *conditions) setOrRemove(name string, verdict error, kind fault.Kind) {
	if found, is := fault.As(verdict); is && found.Kind == kind {
		c.set(metav1.Condition{Type: name, Status: metav1.ConditionTrue, Reason: found.Reason, Message: found.Message})
		return
	}
	meta.RemoveStatusCondition(&c.object.Status.Conditions, name)
}
