// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
)

func TestIsRotated(t *testing.T) {
	const asked = "2026-11-24T12:00:00Z"
	rotatedFor := func(request string) *v1alpha1.RotationStatus { return &v1alpha1.RotationStatus{Request: request} }
	ready := conditionOf("Ready", metav1.ConditionTrue, "Issued", "")
	notReady := conditionOf("Ready", metav1.ConditionFalse, "WriteFailed", "")
	stalled := conditionOf("Stalled", metav1.ConditionTrue, "SecretConflict", "it is taken")
	for _, row := range []struct {
		name       string
		generation int64
		rotation   *v1alpha1.RotationStatus
		latest     string
		conditions []metav1.Condition
		want       bool
		err        string
	}{
		{"done", 1, rotatedFor(asked), asked, []metav1.Condition{ready}, true, ""},
		{"nothing has been rotated ever", 1, nil, asked, []metav1.Condition{ready}, false, ""},
		{"an earlier request was the last", 1, rotatedFor("earlier"), asked, []metav1.Condition{ready}, false, ""},
		{"done, and not Ready again", 1, rotatedFor(asked), asked, []metav1.Condition{notReady}, false, ""},
		{"done, and changed since", 2, rotatedFor(asked), asked, []metav1.Condition{ready}, false, ""},
		{"a later request overtook it", 1, rotatedFor("later"), "later", []metav1.Condition{ready}, true, ""},
		{"a later request overtook it and is not done", 1, rotatedFor("earlier"), "later", []metav1.Condition{ready}, false, ""},
		{"an earlier request was put back", 1, rotatedFor("earlier"), "earlier", []metav1.Condition{ready}, false, ""},
		{"the request was taken away", 1, rotatedFor(""), "", []metav1.Condition{ready}, false, ""},
		{"nothing is known", 1, nil, asked, nil, false, ""},
		{"a human must act first", 1, nil, asked, []metav1.Condition{stalled, conditionOf("Ready", metav1.ConditionFalse, "SecretConflict", "")}, false, "it is taken"},
		{"a human has acted just now", 2, nil, asked, []metav1.Condition{stalled}, false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			object := builder.ClientCredential("acme", "orders", builder.Generation(row.generation))
			object.Annotations = map[string]string{v1alpha1.AnnotationRotate: row.latest}
			object.Status.Rotation, object.Status.Conditions = row.rotation, row.conditions
			got, err := isRotated(object, asked, "earlier")
			if got != row.want || (err != nil) != (row.err != "") {
				t.Fatalf("got %v, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), row.err) || !strings.HasSuffix(err.Error(), advice["SecretConflict"])) {
				t.Errorf("got %v", err)
			}
		})
	}
}
