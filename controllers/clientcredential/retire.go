// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
)

// retire deletes the Secrets of former names after the overlap: workloads that mount them have until then to change over.
func (r *Reconciler) retire(ctx context.Context, s *scope) error {
	for _, former := range [][]corev1.Secret{s.others, s.leftovers} {
		for i := range former {
			if err := r.retireOne(ctx, s, &former[i]); err != nil {
				return s.blocked(err)
			}
		}
	}
	for i := range s.tokens {
		if wanted := s.object.Spec.AccessToken; wanted != nil && s.tokens[i].Name == s.tokenKey().Name {
			continue
		}
		if err := r.retireOne(ctx, s, &s.tokens[i]); err != nil {
			return s.blocked(err)
		}
	}
	return nil
}

// retireOne notes on a Secret when it goes, or deletes it when that has come. The note outlives any crash, and any status.
func (r *Reconciler) retireOne(ctx context.Context, s *scope, secret *corev1.Secret) error {
	if secret.DeletionTimestamp != nil {
		return nil // it is on its way
	}
	now := r.Now()
	end := now.Add(s.rotation.Overlap)
	noted, err := time.Parse(time.RFC3339, secret.Annotations[v1alpha1.AnnotationRemoveAfter])
	switch {
	case s.rotation.Overlap == 0 || err == nil && !now.Before(noted):
		if err := r.Secrets.Delete(ctx, secret); err != nil {
			return err
		}
		r.Recorder.Eventf(s.object, secret, corev1.EventTypeNormal, reasonRemoved, actionRemove,
			"Secret %s of a former name was deleted", secret.Name)
		return nil
	case err == nil && !noted.After(end):
		s.wakeAt(noted)
		return nil
	default: // new, damaged, or of a longer overlap
		s.wakeAt(end)
		return r.annotate(ctx, secret, v1alpha1.AnnotationRemoveAfter, end.UTC().Format(time.RFC3339))
	}
}

func (r *Reconciler) annotate(ctx context.Context, secret *corev1.Secret, annotation, value string) error {
	changed := secret.DeepCopy()
	metav1.SetMetaDataAnnotation(&changed.ObjectMeta, annotation, value)
	return r.Secrets.Update(ctx, changed)
}

// departed takes care of the Secrets of an object that is gone. Those with an owner reference the garbage collector deletes;
// of those that were to be retained, the one that was current says so, and those of former names go.
func (r *Reconciler) departed(ctx context.Context, key types.NamespacedName) error {
	r.Secrets.Written.Forget(kind, key)
	r.prepared.Delete(key)
	owned, err := r.Secrets.Owned(ctx, key)
	if err != nil {
		return err
	}
	for i := range owned {
		secret := &owned[i]
		_, retained := secret.Annotations[v1alpha1.AnnotationRetained]
		_, former := secret.Annotations[v1alpha1.AnnotationRemoveAfter]
		switch {
		case metav1.GetControllerOf(secret) != nil:
			r.Secrets.Forget(types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name})
		case former:
			if err := r.Secrets.Delete(ctx, secret); err != nil {
				return err
			}
		case !retained:
			note := fmt.Sprintf("since %s: %s %s was deleted; this client secret no longer works", r.Now().UTC().Format(time.RFC3339), kind, key.Name)
			if err := r.annotate(ctx, secret, v1alpha1.AnnotationRetained, note); err != nil {
				return err
			}
		}
	}
	return nil
}
