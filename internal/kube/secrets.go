// SPDX-License-Identifier: Apache-2.0

// Package kube adapts the API server to the domain: Secrets that Claviger owns, the directory of clients and accounts,
// and the operator's key material.
package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
)

// Secrets reads and writes Secrets that Claviger made.
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

// ownerIndex finds the Secrets of an owner without looking at all others.
const ownerIndex = "claviger.dev/owner"

// IndexByOwner makes Owned work for owners of a kind.
func IndexByOwner(ctx context.Context, indexer client.FieldIndexer, kind string) error {
	err := indexer.IndexField(ctx, &corev1.Secret{}, ownerIndex, func(secret client.Object) []string {
		return OwnerNames(secret, kind)
	})
	if err != nil {
		return fmt.Errorf("indexing Secrets by their owner: %w", err)
	}
	return nil
}

// Owned finds every Secret in the cache that belongs to an owner, or to an earlier one of its name. It fails with ErrStale
// where one of them is older than our own last write.
func (s Secrets) Owned(ctx context.Context, owner client.ObjectKey) ([]corev1.Secret, error) {
	var list corev1.SecretList
	err := s.Client.List(ctx, &list, client.InNamespace(owner.Namespace), client.MatchingFields{ownerIndex: owner.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the Secrets of %s: %w", owner, err)
	}
	for i := range list.Items {
		if err := s.Written.Check(kindSecret, &list.Items[i]); err != nil {
			return nil, err
		}
	}
	return list.Items, nil
}

// Forget drops what is remembered of a Secret that is gone.
func (s Secrets) Forget(key client.ObjectKey) { s.Written.Forget(kindSecret, key) }

// Publish makes the Secret as desired. current is what Load gave: nil to create, else the Secret whose resourceVersion
// was checked. It writes only where something differs, keeps labels and annotations of others, and reports whether it
// wrote. A Secret that Kubernetes lets nobody change is deleted and made anew.
func (s Secrets) Publish(ctx context.Context, owner client.Object, current *corev1.Secret, desired Desired) (bool, error) {
	if current == nil {
		secret := &corev1.Secret{Type: desired.Type}
		secret.Namespace, secret.Name = desired.Key.Namespace, desired.Key.Name
		return true, s.create(ctx, owner, secret, desired)
	}
	updated := current.DeepCopy()
	if err := desired.shape(updated, owner, s.Client.Scheme()); err != nil {
		return false, err
	}
	if current.Type != desired.Type || (isImmutable(current) && !equality.Semantic.DeepEqual(current.Data, updated.Data)) {
		return true, s.replace(ctx, owner, current, desired)
	}
	if equality.Semantic.DeepEqual(current, updated) {
		return false, nil
	}
	return true, s.wrote("updating", updated, s.Client.Update(ctx, updated))
}

func isImmutable(secret *corev1.Secret) bool { return secret.Immutable != nil && *secret.Immutable }

func (s Secrets) create(ctx context.Context, owner client.Object, secret *corev1.Secret, desired Desired) error {
	if err := desired.shape(secret, owner, s.Client.Scheme()); err != nil {
		return err
	}
	return s.wrote("creating", secret, s.Client.Create(ctx, secret))
}

// replace deletes a Secret and makes it anew, with the labels and annotations that it had, once the API server has said that
// it would take the new one. Dying between the two is like any deletion of the Secret.
func (s Secrets) replace(ctx context.Context, owner client.Object, current *corev1.Secret, desired Desired) error {
	if current.DeletionTimestamp != nil {
		return fault.Waitingf(v1alpha1.ReasonSecretConflict, "Secret %s must be made anew, and something holds up its deletion; see its finalizers", current.Name)
	}
	secret := &corev1.Secret{Type: desired.Type}
	secret.Namespace, secret.Name = current.Namespace, current.Name
	secret.Labels, secret.Annotations, secret.OwnerReferences = current.Labels, current.Annotations, current.OwnerReferences
	if err := desired.shape(secret, owner, s.Client.Scheme()); err != nil {
		return err
	}
	// That the name is taken is the last thing the API server looks at: all else about the new one is in order.
	if err := s.Client.Create(ctx, secret.DeepCopy(), client.DryRunAll); !apierrors.IsAlreadyExists(err) {
		if err == nil {
			return ErrStale // it has gone meanwhile
		}
		return fmt.Errorf("trying out Secret %s: %w", desired.Key, err)
	}
	if err := s.Delete(ctx, current); err != nil {
		return err
	}
	return s.wrote("creating", secret, s.Client.Create(ctx, secret))
}

// KeepOwner makes a Secret outlive its owner, or not, and changes nothing else of it.
func (s Secrets) KeepOwner(ctx context.Context, owner client.Object, current *corev1.Secret, outlives bool) error {
	updated := current.DeepCopy()
	if err := (Desired{Key: client.ObjectKeyFromObject(current), Outlives: outlives}).own(updated, owner, s.Client.Scheme()); err != nil {
		return err
	}
	if equality.Semantic.DeepEqual(current.OwnerReferences, updated.OwnerReferences) {
		return nil
	}
	return s.Update(ctx, updated)
}

// Update writes a Secret that was read and changed.
func (s Secrets) Update(ctx context.Context, secret *corev1.Secret) error {
	return s.wrote("updating", secret, s.Client.Update(ctx, secret))
}

// Delete deletes the very Secret that was read: not one that somebody has changed since, or put in its place. One that is gone
// already is no error.
func (s Secrets) Delete(ctx context.Context, secret *corev1.Secret) error {
	key := client.ObjectKeyFromObject(secret)
	err := s.Client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting Secret %s: %w", key, err)
	}
	s.Forget(key)
	return nil
}

// wrote notes a write that succeeded, and says of one that did not what was being done.
func (s Secrets) wrote(doing string, secret *corev1.Secret, err error) error {
	if apierrors.IsNotFound(err) && secret.UID != "" {
		return ErrStale // it has gone since it was read
	}
	if err != nil {
		return fmt.Errorf("%s Secret %s: %w", doing, client.ObjectKeyFromObject(secret), err)
	}
	s.Written.Note(kindSecret, secret)
	return nil
}
