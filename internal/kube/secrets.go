// SPDX-License-Identifier: Apache-2.0

// Package kube adapts the API server to the domain: Secrets that Claviger owns, the directory of clients and accounts,
// and the operator's key material.
package kube

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
)

// Secrets reads and writes Secrets that Claviger made, and refuses all others.
type Secrets struct {
	// Client reads from a cache that holds only Secrets labelled as Claviger's.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Written remembers our own writes.
	Written *Written
}

const kindSecret = "Secret"

// Load finds a Secret, in the cache or, where that has none, at the API server: the cache may be stale, the Secret may
// have lost its label, or it may be somebody else's. It gives nil where there is none, and fails with ErrStale where the
// cache does not yet have our own last write.
func (s Secrets) Load(ctx context.Context, key client.ObjectKey) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := s.Client.Get(ctx, key, secret)
	if err == nil {
		return secret, s.Written.Check(kindSecret, secret)
	}
	if apierrors.IsNotFound(err) {
		err = s.Live.Get(ctx, key, secret)
	}
	if apierrors.IsNotFound(err) {
		s.Forget(key)
		return nil, nil //nolint:nilnil // documented: absent is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	return secret, nil
}

// Forget drops what is remembered of a Secret that is gone, or whose owner is.
func (s Secrets) Forget(key client.ObjectKey) { s.Written.Forget(kindSecret, key) }

// CheckOwner fails where the Secret is not this owner's: with a waiting fault where it belongs to an earlier object of
// the same name, which the garbage collector is about to remove, else with a terminal fault.
func CheckOwner(secret *corev1.Secret, owner client.Object, ownerKind string) error {
	if metav1.IsControlledBy(secret, owner) {
		return nil
	}
	ref := metav1.GetControllerOf(secret)
	if ref != nil && ref.APIVersion == v1alpha1.GroupVersion.String() && ref.Kind == ownerKind && ref.Name == owner.GetName() {
		return fault.Waitingf(v1alpha1.ReasonSecretConflict,
			"Secret %s belongs to an earlier %s of this name and is about to be removed", secret.Name, ownerKind)
	}
	return fault.Terminalf(v1alpha1.ReasonSecretConflict,
		"Secret %s exists and is not this %s's; it is left alone. Delete or rename one of the two", secret.Name, ownerKind)
}

// Desired is what an owned Secret shall be.
type Desired struct {
	Key     client.ObjectKey
	Type    corev1.SecretType
	Purpose string
	Data    map[string][]byte
}

// Publish makes the Secret as desired. current is what Load gave: nil to create, else the Secret whose resourceVersion
// was checked. It writes only where something differs, keeps labels and annotations of others, and reports whether it
// wrote.
func (s Secrets) Publish(ctx context.Context, owner client.Object, current *corev1.Secret, desired Desired) (bool, error) {
	if current == nil {
		secret := &corev1.Secret{Type: desired.Type}
		secret.Namespace, secret.Name = desired.Key.Namespace, desired.Key.Name
		if err := s.shape(secret, owner, desired); err != nil {
			return false, err
		}
		return true, s.wrote("creating", secret, s.Client.Create(ctx, secret))
	}
	updated := current.DeepCopy()
	if err := s.shape(updated, owner, desired); err != nil {
		return false, err
	}
	if equality.Semantic.DeepEqual(current, updated) {
		return false, nil
	}
	return true, s.wrote("updating", updated, s.Client.Update(ctx, updated))
}

func (s Secrets) shape(secret *corev1.Secret, owner client.Object, desired Desired) error {
	secret.Labels = maps.Clone(secret.Labels)
	if secret.Labels == nil {
		secret.Labels = map[string]string{}
	}
	secret.Labels[v1alpha1.LabelSecret] = desired.Purpose
	secret.Labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedBy
	secret.Data = desired.Data
	if owner == nil {
		return nil
	}
	if err := controllerutil.SetControllerReference(owner, secret, s.Client.Scheme()); err != nil {
		return fmt.Errorf("owning Secret %s: %w", desired.Key, err)
	}
	return nil
}

// wrote notes a write that succeeded, and says of one that did not what was being done.
func (s Secrets) wrote(doing string, secret *corev1.Secret, err error) error {
	if err != nil {
		return fmt.Errorf("%s Secret %s: %w", doing, client.ObjectKeyFromObject(secret), err)
	}
	s.Written.Note(kindSecret, secret)
	return nil
}
