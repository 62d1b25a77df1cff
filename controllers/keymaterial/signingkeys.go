// SPDX-License-Identifier: Apache-2.0

package keymaterial

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/keyring"
)

// keepSigningKeys brings the signing keys to what their schedule says, in at most one write, and comes back when something is
// due.
func (r *Reconciler) keepSigningKeys(ctx context.Context) (ctrl.Result, error) {
	desired := r.desired(v1alpha1.SigningKeysSecretName, v1alpha1.PurposeSigningKeys)
	current, err := r.Secrets.Load(ctx, desired.Key)
	if err != nil {
		return ctrl.Result{}, err
	}
	var document keyring.Document
	if current != nil {
		if document, err = keyring.DecodeDocument(current.Data); err != nil {
			return ctrl.Result{}, r.damaged(current, err)
		}
		desired.Type, desired.Data = current.Type, current.Data
	}
	plan, err := r.Schedule.Plan(r.Random, document, requested(current), r.Now())
	if err != nil {
		return ctrl.Result{}, err
	}
	if plan.Changed {
		if current != nil && current.Immutable != nil && *current.Immutable {
			// To replace it would be to delete it first, and every key with it if that were all that came about.
			return ctrl.Result{}, r.damaged(current, errors.New("it is immutable, and a change of its keys is due"))
		}
		if desired.Data, err = plan.Document.Encode(); err != nil {
			return ctrl.Result{}, err
		}
	}
	if _, err := r.Secrets.Publish(ctx, nil, current, desired); err != nil {
		return ctrl.Result{}, err
	}
	r.Metrics.sound(desired.Key.Name)
	r.Metrics.rotated(plan)
	r.tell(r.subject(current), plan)
	r.tellUnknown(r.subject(current), requested(current))
	return ctrl.Result{RequeueAfter: max(plan.Next.Sub(r.Now()), time.Second)}, nil
}

// requested reads what the annotations of the Secret ask for.
func requested(secret *corev1.Secret) keyring.Request {
	if secret == nil {
		return keyring.Request{}
	}
	return keyring.Request{
		Rotation: secret.Annotations[v1alpha1.AnnotationRotate],
		Remove: strings.FieldsFunc(secret.Annotations[v1alpha1.AnnotationRemoveKey], func(r rune) bool {
			return r == ',' || unicode.IsSpace(r)
		}),
	}
}
