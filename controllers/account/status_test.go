// SPDX-License-Identifier: Apache-2.0

package account

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
)

func TestConditions(t *testing.T) {
	invalid := builder.Selector(metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Resembles"}}})
	for _, row := range []struct {
		name    string
		account *v1alpha1.Account
		ready   metav1.ConditionStatus
		reason  string
		message string
	}{
		{
			name: "an account is active", account: builder.Account("acme", builder.Generation(3)),
			ready: metav1.ConditionTrue, reason: "Active", message: "Credentials of this account may be used",
		},
		{
			name: "a valid selector changes nothing", account: builder.Account("acme", builder.Generation(3), builder.Selector(metav1.LabelSelector{})),
			ready: metav1.ConditionTrue, reason: "Active", message: "Credentials of this account may be used",
		},
		{
			name: "a suspended account is not ready", account: builder.Account("acme", builder.Generation(3), builder.Suspended()),
			ready: metav1.ConditionFalse, reason: "Suspended", message: "spec.suspend is true: no token of this account works",
		},
		{
			name: "a selector that does not parse is not ready", account: builder.Account("acme", builder.Generation(3), invalid),
			ready: metav1.ConditionFalse, reason: "InvalidSelector", message: `spec.namespaces.selector: "Resembles" is not a valid label selector operator`,
		},
		{
			name: "suspension comes before the selector", account: builder.Account("acme", builder.Generation(3), invalid, builder.Suspended()),
			ready: metav1.ConditionFalse, reason: "Suspended", message: "spec.suspend is true: no token of this account works",
		},
		{
			name: "an account that is being deleted is not ready", account: builder.Account("acme", builder.Generation(3), builder.Deleting(time.Unix(1, 0))),
			ready: metav1.ConditionFalse, reason: "Deleting", message: "the Account is being deleted: no token of it works",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			ready := readyCondition(row.account)
			want := metav1.Condition{Type: "Ready", Status: row.ready, Reason: row.reason, Message: row.message, ObservedGeneration: 3}
			if ready != want {
				t.Errorf("got %+v, want %+v", ready, want)
			}
			stalled, is := stalledCondition(ready)
			if row.ready == metav1.ConditionTrue || row.reason == "Deleting" { // which goes on by itself
				if is || stalled != (metav1.Condition{}) {
					t.Errorf("an account that is ready is stalled: %+v", stalled)
				}
				return
			}
			want.Type, want.Status = "Stalled", metav1.ConditionTrue
			if !is || stalled != want {
				t.Errorf("got %+v, want %+v", stalled, want)
			}
		})
	}
}
