// SPDX-License-Identifier: Apache-2.0

package notification

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

var now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

func conditions(parts ...metav1.Condition) []metav1.Condition { return parts }

// of gives a condition that has been as it is for so long.
func of(name string, is metav1.ConditionStatus, reason string, since time.Duration) metav1.Condition {
	return metav1.Condition{Type: name, Status: is, Reason: reason, LastTransitionTime: metav1.NewTime(now.Add(-since))}
}

func TestWhatTheHookIsTold(t *testing.T) {
	const yes, no, unknown = metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
	ready := of(v1alpha1.ConditionReady, yes, v1alpha1.ReasonConnected, time.Hour)
	healthy := of(v1alpha1.ConditionRefreshHealthy, yes, v1alpha1.ReasonRefreshed, time.Hour)
	refreshing := func(reason string, since time.Duration) metav1.Condition {
		return of(v1alpha1.ConditionRefreshHealthy, no, reason, since)
	}
	told := func(state v1alpha1.NotifiedState, reason string) *v1alpha1.Notified {
		return &v1alpha1.Notified{State: state, Reason: reason}
	}
	for _, row := range []struct {
		name       string
		conditions []metav1.Condition
		told       *v1alpha1.Notified
		// want is the reason that it is told, or empty; again is how long until another look.
		want  string
		again time.Duration
	}{
		{name: "nothing of one that was not looked at yet"},
		{name: "nothing of one that has always been well", conditions: conditions(ready, healthy)},
		{
			name:       "at once, what needs a human although the token lives",
			conditions: conditions(ready, refreshing(v1alpha1.ReasonMisconfigured, 0)), want: v1alpha1.ReasonMisconfigured,
		},
		{
			name: "that the grant has ended, although the token lives",
			conditions: conditions(ready, of(v1alpha1.ConditionAuthorized, no, v1alpha1.ReasonReauthorizationRequired, 0),
				of(v1alpha1.ConditionRefreshHealthy, unknown, v1alpha1.ReasonNotAttempted, 0)),
			want: v1alpha1.ReasonReauthorizationRequired,
		},
		{name: "that the grant will end", conditions: conditions(ready, refreshing(v1alpha1.ReasonGrantExpiring, 0)), want: v1alpha1.ReasonGrantExpiring},
		{
			name:       "not yet, what may come right by itself",
			conditions: conditions(ready, refreshing(v1alpha1.ReasonRefreshFailing, 5*time.Minute)), again: 10 * time.Minute,
		},
		{
			name:       "but when it lasts",
			conditions: conditions(ready, refreshing(v1alpha1.ReasonRefreshFailing, 15*time.Minute)), want: v1alpha1.ReasonRefreshFailing,
		},
		{name: "nothing of one that is suspended", conditions: conditions(of(v1alpha1.ConditionReady, no, v1alpha1.ReasonSuspended, time.Hour))},
		{name: "nothing of one that waits for its first user", conditions: conditions(of(v1alpha1.ConditionReady, no, v1alpha1.ReasonSignInRequired, time.Hour))},
		{
			name: "nothing twice", conditions: conditions(ready, refreshing(v1alpha1.ReasonMisconfigured, time.Hour)),
			told: told(v1alpha1.NotifiedFailing, v1alpha1.ReasonMisconfigured),
		},
		{
			name: "what else needs a human", conditions: conditions(ready, refreshing(v1alpha1.ReasonClientChanged, time.Hour)),
			told: told(v1alpha1.NotifiedFailing, v1alpha1.ReasonRefreshFailing), want: v1alpha1.ReasonClientChanged,
		},
		{
			name: "nothing of what else is wrong and may come right", conditions: conditions(ready, refreshing(v1alpha1.ReasonRefreshFailing, time.Hour)),
			told: told(v1alpha1.NotifiedFailing, v1alpha1.ReasonMisconfigured),
		},
		{
			name: "that it is well again", conditions: conditions(ready, healthy),
			told: told(v1alpha1.NotifiedFailing, v1alpha1.ReasonMisconfigured), want: v1alpha1.ReasonConnected,
		},
		{
			name: "that once", conditions: conditions(ready, healthy),
			told: told(v1alpha1.NotifiedHealthy, v1alpha1.ReasonConnected),
		},
		{
			name: "nothing while it is suspended after a failure", conditions: conditions(of(v1alpha1.ConditionReady, no, v1alpha1.ReasonSuspended, 0)),
			told: told(v1alpha1.NotifiedFailing, v1alpha1.ReasonMisconfigured),
		},
		{
			name: "of the next failure", conditions: conditions(ready, refreshing(v1alpha1.ReasonMisconfigured, 0)),
			told: told(v1alpha1.NotifiedHealthy, v1alpha1.ReasonConnected), want: v1alpha1.ReasonMisconfigured,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := judge(row.conditions, now)
			got := ""
			if found.due(row.told) {
				got = found.condition.Reason
			}
			again := time.Duration(0)
			if !found.again.IsZero() {
				again = found.again.Sub(now)
			}
			if got != row.want || again != row.again {
				t.Errorf("told %q, again after %s", got, again)
			}
		})
	}
}

// TestTheNameOfAMessage is the same until it was taken, and another after.
func TestTheNameOfAMessage(t *testing.T) {
	object := &v1alpha1.AccountConnector{}
	object.UID = "uid"
	found := judge(conditions(
		of(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonConnected, time.Hour),
		of(v1alpha1.ConditionRefreshHealthy, metav1.ConditionFalse, v1alpha1.ReasonMisconfigured, time.Hour)), now)
	first := messageOf(object, found)
	if messageOf(object, found).ID != first.ID {
		t.Error("a repetition has another name")
	}
	object.Status.Notified = &v1alpha1.Notified{State: v1alpha1.NotifiedFailing, Reason: v1alpha1.ReasonClientChanged, At: metav1.NewTime(now)}
	if messageOf(object, found).ID == first.ID {
		t.Error("what is told after something else has the name of before")
	}
}
