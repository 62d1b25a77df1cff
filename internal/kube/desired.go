// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Desired is what an owned Secret shall be.
type Desired struct {
	Key     client.ObjectKey
	Type    corev1.SecretType
	Purpose string
	Data    map[string][]byte
	// Labels and Annotations are those that users ask for. What they asked for before, and no longer do, is taken away.
	Labels, Annotations map[string]string
	// Own are the annotations under claviger.dev/ that an owned Secret shall have, and no others.
	Own map[string]string
	// Outlives says that the Secret stays when its owner goes, so that it has no owner reference.
	Outlives bool
}

// ownPrefix begins the labels and annotations that are Claviger's alone.
const ownPrefix = "claviger.dev/"

// applied is the value of AnnotationApplied: what came from the user's template, so that it can be taken away again.
type applied struct {
	Labels      []string `json:"labels,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
}

// shape gives a Secret the form that is desired and leaves alone what is none of ours.
func (d Desired) shape(secret *corev1.Secret, owner client.Object, scheme *runtime.Scheme) error {
	d.label(secret)
	secret.Data = d.Data
	if owner == nil {
		return nil
	}
	kind, err := apiutil.GVKForObject(owner, scheme)
	if err != nil {
		return fmt.Errorf("naming the kind of the owner of Secret %s: %w", d.Key, err)
	}
	if err := d.annotate(secret, owner, kind.Kind); err != nil {
		return err
	}
	return d.own(secret, owner, scheme)
}

// own sets the owner reference, and takes away that of an earlier object of this name.
func (d Desired) own(secret *corev1.Secret, owner client.Object, scheme *runtime.Scheme) error {
	secret.OwnerReferences = slices.DeleteFunc(slices.Clone(secret.OwnerReferences), func(ref metav1.OwnerReference) bool {
		return ref.Controller != nil && *ref.Controller && ref.UID != owner.GetUID() || d.Outlives && ref.UID == owner.GetUID()
	})
	if d.Outlives {
		return nil
	}
	if err := controllerutil.SetControllerReference(owner, secret, scheme); err != nil {
		return fmt.Errorf("owning Secret %s: %w", d.Key, err)
	}
	return nil
}

func (d Desired) label(secret *corev1.Secret) {
	labels := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	maps.Copy(labels, without(secret.Labels, before(secret).Labels))
	maps.Copy(labels, d.Labels)
	labels[v1alpha1.LabelSecret] = d.Purpose
	secret.Labels = labels
}

func (d Desired) annotate(secret *corev1.Secret, owner client.Object, kind string) error {
	annotations := without(secret.Annotations, before(secret).Annotations)
	maps.DeleteFunc(annotations, func(key, _ string) bool { return strings.HasPrefix(key, ownPrefix) })
	maps.Copy(annotations, d.Annotations)
	maps.Copy(annotations, d.Own)
	annotations[v1alpha1.AnnotationOwner] = ownerAnnotation(d.Key.Name, owner, kind)
	if len(d.Labels)+len(d.Annotations) > 0 {
		note, err := json.Marshal(applied{slices.Sorted(maps.Keys(d.Labels)), slices.Sorted(maps.Keys(d.Annotations))})
		if err != nil {
			return fmt.Errorf("noting what was applied to Secret %s: %w", d.Key, err)
		}
		annotations[v1alpha1.AnnotationApplied] = string(note)
	}
	secret.Annotations = annotations
	return nil
}

// before gives what a template had put on the Secret. A note that somebody has damaged takes nothing away.
func before(secret *corev1.Secret) applied {
	var note applied
	_ = json.Unmarshal([]byte(secret.Annotations[v1alpha1.AnnotationApplied]), &note)
	return note
}

func without(all map[string]string, keys []string) map[string]string {
	rest := map[string]string{}
	for key, value := range all {
		if !slices.Contains(keys, key) {
			rest[key] = value
		}
	}
	return rest
}
