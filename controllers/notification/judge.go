// SPDX-License-Identifier: Apache-2.0

package notification

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/controllers/accountconnector"
)

// lasting is how long what may come right by itself lasts before people are told.
const lasting = 15 * time.Minute

// verdict is what there is to say of a connection.
type verdict struct {
	// state is empty where there is nothing to say.
	state v1alpha1.NotifiedState
	// condition is the one that is not met, or Ready.
	condition metav1.Condition
	// again is when it may be another one although nothing changes, or zero.
	again time.Time
}

// judge looks at the conditions: the first that is False says what is wrong.
func judge(conditions []metav1.Condition, now time.Time) verdict {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return verdict{}
	}
	for _, name := range []string{
		v1alpha1.ConditionReady, v1alpha1.ConditionAuthorized, v1alpha1.ConditionRefreshHealthy, v1alpha1.ConditionSecretPublished,
	} {
		if found := meta.FindStatusCondition(conditions, name); found != nil && found.Status == metav1.ConditionFalse {
			return failing(*found, now)
		}
	}
	if ready.Status != metav1.ConditionTrue {
		return verdict{}
	}
	return verdict{state: v1alpha1.NotifiedHealthy, condition: *ready}
}

func failing(found metav1.Condition, now time.Time) verdict {
	since := found.LastTransitionTime.Add(lasting)
	switch {
	case intended(found.Reason):
		return verdict{}
	case accountconnector.NeedsHuman(found.Reason), !now.Before(since):
		return verdict{state: v1alpha1.NotifiedFailing, condition: found}
	default:
		return verdict{again: since}
	}
}

// intended reports whether somebody wants a connection not to work, or has not begun with it.
func intended(reason string) bool {
	switch reason {
	case v1alpha1.ReasonSuspended, v1alpha1.ReasonAccountSuspended, v1alpha1.ReasonSignInRequired, v1alpha1.ReasonConfirmationRequired:
		return true
	default:
		return false
	}
}

// due reports whether the hook is to be told: that something is wrong, or that it is something else that needs a human; or that all is
// well again.
func (v verdict) due(told *v1alpha1.Notified) bool {
	switch v.state {
	case v1alpha1.NotifiedFailing:
		return told == nil || told.State != v1alpha1.NotifiedFailing ||
			told.Reason != v.condition.Reason && accountconnector.NeedsHuman(v.condition.Reason)
	case v1alpha1.NotifiedHealthy:
		return told != nil && told.State == v1alpha1.NotifiedFailing
	default:
		return false
	}
}
