// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

// judge asks the rules. A credential that is not allowed keeps the Secret it may have, so that lifting a suspension is
// enough to make it work again, and gets no new one.
func (r *Reconciler) judge(ctx context.Context, s *scope) error {
	subject := credential.Subject{Client: s.client}
	namespace := kube.NamespaceMetadata()
	if err := r.Get(ctx, client.ObjectKey{Name: s.object.Namespace}, namespace); err != nil {
		return fmt.Errorf("reading Namespace %s: %w", s.object.Namespace, err)
	}
	subject.Namespace = credential.Namespace{Name: namespace.Name, Labels: labels.Set(namespace.Labels)}
	if !s.client.ConsoleLevel() {
		account := &v1alpha1.Account{}
		err := r.Get(ctx, client.ObjectKey{Name: s.client.AccountID}, account)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("reading Account %s: %w", s.client.AccountID, err)
		}
		if err == nil {
			// A selector that does not parse selects nothing; the Account's own condition says so.
			subject.Account, _ = credential.ReadAccount(account)
		}
	}
	s.judged, s.verdict = true, r.Rules.Judge(subject)
	return s.verdict
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

// loadSecret finds the Secret and refuses one that is not ours.
func (r *Reconciler) loadSecret(ctx context.Context, s *scope) error {
	if s.secretKey.Namespace == r.OperatorNamespace && v1alpha1.ReservedSecretName(s.secretKey.Name) {
		return s.blocked(fault.Terminalf(v1alpha1.ReasonSecretConflict,
			"Secret %s is reserved for the operator's own keys; name the ClientCredential otherwise", s.secretKey.Name))
	}
	secret, err := r.Secrets.Load(ctx, s.secretKey)
	if err != nil {
		return s.blocked(err)
	}
	if secret != nil {
		if err := kube.CheckOwner(secret, s.object, kind); err != nil {
			return s.blocked(err)
		}
	}
	s.secret = secret
	return nil
}

func (r *Reconciler) plan(_ context.Context, s *scope) error {
	observed := credential.Observed{Client: s.client, Pepper: s.pepper, Now: r.Now()}
	if s.secret != nil {
		observed.Published = string(s.secret.Data[v1alpha1.SecretKeyClientSecret])
	}
	if prepared, ok := r.prepared.Load(client.ObjectKeyFromObject(s.object)); ok {
		observed.Prepared = prepared.(oauth.ClientSecret)
	}
	var err error
	s.todo, err = credential.MakePlan(r.Random, observed)
	return s.blocked(err)
}

// stageVerifiers writes the verifiers before the Secret where clients may still hold another secret: dying between the two
// writes then leaves a verifier for a secret that nobody has, instead of a Secret that nothing verifies.
func (r *Reconciler) stageVerifiers(ctx context.Context, s *scope) error {
	if !s.todo.Replaces() {
		return nil
	}
	s.object.Status.Verifiers = s.todo.Staged.Write()
	if equality.Semantic.DeepEqual(s.stored.Status.Verifiers, s.object.Status.Verifiers) {
		return nil // an earlier attempt has
	}
	if err := r.patchStatus(ctx, s); err != nil {
		s.object.Status.Verifiers = s.stored.Status.Verifiers // of a secret that will never be published
		return s.blocked(err)
	}
	r.prepared.Store(client.ObjectKeyFromObject(s.object), s.todo.Secret)
	return nil
}

func (r *Reconciler) publish(ctx context.Context, s *scope) error {
	wrote, err := r.Secrets.Publish(ctx, s.object, s.secret, kube.Desired{
		Key:     s.secretKey,
		Type:    v1alpha1.SecretTypeBinding,
		Purpose: v1alpha1.PurposeClientCredential,
		Data: render.SecretData(render.Values{
			ClientID:     s.client.ID,
			ClientSecret: s.todo.Secret,
			Issuer:       r.Issuer,
			TokenURL:     r.TokenURL,
			Scopes:       s.client.Scopes,
			AccountID:    s.client.AccountID,
		}),
	})
	if err != nil {
		return s.blocked(err)
	}
	s.published = true
	s.object.Status.Verifiers = s.todo.Published.Write()
	r.prepared.Delete(client.ObjectKeyFromObject(s.object))
	if wrote && s.todo.Replaces() {
		r.tellReplaced(s)
	}
	return nil
}
