// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

// loadOwned finds every Secret that belongs to this object or has belonged to an earlier one of its name, and follows
// spec.deletionPolicy: also where nothing else is done, because whoever deletes a suspended credential has chosen what becomes
// of its Secret, too.
func (r *Reconciler) loadOwned(ctx context.Context, s *scope) error {
	var err error
	if s.owned, err = r.Secrets.Owned(ctx, client.ObjectKeyFromObject(s.object)); err != nil {
		return s.blocked(err)
	}
	if !s.object.DeletionTimestamp.IsZero() {
		return nil
	}
	for i := range s.owned {
		secret := &s.owned[i]
		if secret.Labels[v1alpha1.LabelSecret] != v1alpha1.PurposeClientCredential || !kube.IsPublished(secret, s.object, kind) {
			continue
		}
		if err := r.Secrets.KeepOwner(ctx, s.object, secret, s.outlives()); err != nil {
			return s.blocked(err)
		}
	}
	return nil
}

func (r *Reconciler) loadPepper(ctx context.Context, s *scope) error {
	secret := &corev1.Secret{}
	err := r.Get(ctx, client.ObjectKey{Namespace: r.OperatorNamespace, Name: v1alpha1.PepperSecretName}, secret)
	if apierrors.IsNotFound(err) {
		return s.blocked(fault.Waitingf(v1alpha1.ReasonKeysNotReady, "the operator is still making its keys"))
	}
	if err != nil {
		return s.blocked(fmt.Errorf("reading the pepper: %w", err))
	}
	if s.pepper, err = credential.DecodePepper(secret.Data); err != nil {
		return s.blocked(fault.Terminalf(v1alpha1.ReasonKeysNotReady,
			"Secret %s/%s: %w", r.OperatorNamespace, v1alpha1.PepperSecretName, err))
	}
	return nil
}

// loadSecrets sorts the Secrets of this object, and refuses one of the desired name that is not.
func (r *Reconciler) loadSecrets(ctx context.Context, s *scope) error {
	for i := range s.owned {
		secret := &s.owned[i]
		_, givenUp := secret.Annotations[v1alpha1.AnnotationRemoveAfter]
		wanted := s.publishes() && secret.Name == s.secretKey().Name
		switch ours := kube.IsPublished(secret, s.object, kind); {
		case ours && secret.Labels[v1alpha1.LabelSecret] == v1alpha1.PurposeAccessToken:
			s.tokens = append(s.tokens, *secret)
		case ours && !wanted:
			s.others = append(s.others, *secret)
		case !ours && !wanted && givenUp && kube.OwnershipOf(secret, s.object, kind) == kube.Earlier:
			s.leftovers = append(s.leftovers, *secret)
		}
	}
	if err := r.loadBound(ctx, s); err != nil {
		return s.blocked(err)
	}
	if wanted := s.object.Spec.AccessToken; wanted != nil && s.tokenKey().Name == s.bindingName() {
		return s.blocked(fault.Terminalf(v1alpha1.ReasonSecretConflict,
			"Secret %s holds the client secret; choose another spec.accessToken.secretName", s.bindingName()))
	}
	if !s.publishes() {
		return nil
	}
	var err error
	s.secret, s.earlier, err = r.loadOwn(ctx, s, s.secretKey())
	return s.blocked(err)
}

// loadBound finds the Secret that was published last where that has another name now and is not in the cache, because it has
// lost its label or is too new: what workloads hold must be known before anything is decided.
func (r *Reconciler) loadBound(ctx context.Context, s *scope) error {
	binding := s.object.Status.Binding
	if binding == nil || binding.Name == s.bindingName() || slices.ContainsFunc(s.others, func(o corev1.Secret) bool { return o.Name == binding.Name }) {
		return nil
	}
	secret, err := r.Secrets.Load(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: binding.Name})
	if err == nil && secret != nil && kube.IsPublished(secret, s.object, kind) {
		s.others = append(s.others, *secret)
	}
	return err
}

// loadOwn finds a Secret by the name that it shall have. It fails where there is one that is somebody else's, or where the name
// is reserved; one of an earlier object of this name is taken over, and reported.
func (r *Reconciler) loadOwn(ctx context.Context, s *scope, key client.ObjectKey) (*corev1.Secret, bool, error) {
	if key.Namespace == r.OperatorNamespace && v1alpha1.ReservedSecretName(key.Name) {
		return nil, false, fault.Terminalf(v1alpha1.ReasonSecretConflict,
			"Secret %s is reserved for the operator's own keys; choose another name", key.Name)
	}
	secret, err := r.Secrets.Load(ctx, key)
	if secret == nil || err != nil {
		return nil, false, err
	}
	switch kube.OwnershipOf(secret, s.object, kind) {
	case kube.Own:
		return secret, false, nil
	case kube.Earlier:
		return secret, true, nil
	default:
		if s.provesItself(secret) {
			return secret, false, nil
		}
		return nil, false, fault.Terminalf(v1alpha1.ReasonSecretConflict,
			"Secret %s exists and is not this %s's; it is left alone. Delete it, or choose another name", secret.Name, kind)
	}
}

// provesItself reports whether a Secret that lost its owner reference and its annotations is ours all the same: it is the one
// that was published last, nobody else owns it, it says that we made it, and it holds the current client secret, which we
// generated. One that its user brings, or has brought, is none of ours, whatever it holds.
func (s *scope) provesItself(secret *corev1.Secret) bool {
	binding, ref := s.object.Status.Binding, s.object.Spec.SecretRef
	provider := secret.Data[render.Key(s.object.Spec.SecretTemplate, v1alpha1.SecretKeyProvider)]
	switch {
	case binding == nil || binding.Name != secret.Name || metav1.GetControllerOf(secret) != nil,
		ref != nil && ref.Name == secret.Name,
		string(provider) != v1alpha1.ManagedBy,
		len(s.client.Verifiers) == 0:
		return false
	}
	return slices.ContainsFunc(s.heldIn(secret, false), func(held credential.Held) bool {
		digest := s.pepper.Digest(s.client.UID, s.client.ID, held.Secret)
		return credential.IsGeneratedSecret(held.Secret.Reveal()) && s.client.Verifiers[0].Digest == digest
	})
}

// maxClientSecret bounds the values of a Secret that may be a client secret, in bytes.
const maxClientSecret = 1024

// heldIn gives what may be a client secret in a Secret of ours: the value of the key that holds it now, then those of all others,
// because that key may have had another name.
func (s *scope) heldIn(secret *corev1.Secret, earlier bool) []credential.Held {
	var made *credential.Record
	if record, ok := credential.ReadRecord(secret.Annotations); ok {
		made = &record
	}
	first := render.Key(s.object.Spec.SecretTemplate, v1alpha1.SecretKeyClientSecret)
	var all []credential.Held
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(secret.Data)), func(key string) bool { return key == first })
	for _, key := range append([]string{first}, others...) {
		if value := secret.Data[key]; len(value) > 0 && len(value) <= maxClientSecret {
			all = append(all, credential.Held{Secret: oauth.NewSecret(string(value)), Made: made, Earlier: earlier})
		}
	}
	return all
}
