// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
)

// records is an API server with one record, or an error in its place.
type records struct {
	client.Reader
	record string
	err    error
}

func (r records) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	object.(*corev1.Secret).Data = map[string][]byte{v1alpha1.SecretKeyRecord: []byte(r.record)}
	return r.err
}

// TestARecordThatCannotBeRead: the condition says what is in the way, and not that the API server is away.
func TestARecordThatCannotBeRead(t *testing.T) {
	for _, row := range []struct {
		name, reason, message, beside string
		found                         records
	}{
		{
			"a damaged one is for a human", v1alpha1.ReasonRecordDamaged, "Secret claviger-connections/connection-1, ", v1alpha1.ConditionStalled,
			records{record: "damaged-by-somebody"},
		},
		{
			"one that may not be read is the API server's word", v1alpha1.ReasonWriteFailed, "answered Forbidden", v1alpha1.ConditionReconciling,
			records{err: apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "connection-1", errors.New("no"))},
		},
		{
			"one that nobody answers for may yet come", v1alpha1.ReasonWriteFailed, "could not be reached", v1alpha1.ConditionReconciling,
			records{err: errors.New("no route")},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScope(&v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{UID: "1"}})
			s.judged = true
			r := Reconciler{Grants: kube.Grants{Live: row.found, Namespace: "claviger-connections"}}
			if err := r.open(t.Context(), s); err == nil {
				t.Error("it was read")
			}
			s.summarize(time.Unix(1, 0))
			for _, name := range []string{v1alpha1.ConditionAuthorized, v1alpha1.ConditionReady, row.beside} {
				got := meta.FindStatusCondition(s.object.Status.Conditions, name)
				if got == nil || got.Reason != row.reason || !strings.Contains(got.Message, row.message) {
					t.Errorf("%s is %v", name, got)
				}
			}
			if ready := meta.FindStatusCondition(s.object.Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionFalse {
				t.Errorf("Ready is %s", ready.Status)
			}
		})
	}
}
