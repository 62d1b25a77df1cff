// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// isConnected reports whether a user has signed in since before, and the Secret holds a token, or all waits for the host's backend. It
// fails where the tokens of a sign-in do not get into the Secret until a human has acted.
func isConnected(before, object *v1alpha1.AccountConnector) (bool, error) {
	if isUnconfirmed(object) && !isUnconfirmed(before) {
		return true, nil
	}
	if object.Status.AuthorizedAt == nil || object.Status.AuthorizedAt.Equal(before.Status.AuthorizedAt) {
		return false, nil
	}
	conditions := object.Status.Conditions
	if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
		return true, nil
	}
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
	if stalled != nil && stalled.Status == metav1.ConditionTrue && stalled.ObservedGeneration == object.Generation {
		return false, fmt.Errorf("somebody has signed in, and connection %s is not Ready all the same (%s: %s). %s",
			object.Name, stalled.Reason, plain(stalled.Message), adviceFor(object, conditions))
	}
	return false, nil
}

// isUnconfirmed reports whether a user has signed in and the host's backend has not confirmed it.
func isUnconfirmed(object *v1alpha1.AccountConnector) bool {
	authorized := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionAuthorized)
	return authorized != nil && authorized.Reason == v1alpha1.ReasonConfirmationRequired
}
