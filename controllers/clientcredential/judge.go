// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/render"
)

// identify finds out which client ID the credential has. It comes before the verdict, because others may have that ID.
func (r *Reconciler) identify(ctx context.Context, s *scope) error {
	switch {
	case s.object.Spec.SecretRef != nil:
		return r.readImported(ctx, s, s.object.Spec.SecretRef)
	case s.established() == "":
		return r.recallClientID(ctx, s)
	default:
		return nil
	}
}

// recallClientID takes the client ID from a Secret that was published before the status was lost: it may be one that the user
// brought at that time.
func (r *Reconciler) recallClientID(ctx context.Context, s *scope) error {
	secret, err := r.Secrets.Load(ctx, s.secretKey())
	if err != nil || secret == nil || kube.OwnershipOf(secret, s.object, kind) == kube.Foreign {
		return err
	}
	id := string(secret.Data[render.Key(s.object.Spec.SecretTemplate, v1alpha1.SecretKeyClientID)])
	if credential.IsClientID(id) {
		s.client.ID = id
	}
	return nil
}

// readImported reads the Secret that a user brings. What is wrong with it counts only if the rules allow the credential at all.
func (r *Reconciler) readImported(ctx context.Context, s *scope, ref *v1alpha1.ClientSecretReference) error {
	if err := r.imported.Start(); err != nil {
		return fmt.Errorf("watching the Secrets that credentials refer to: %w", err)
	}
	// Not from the cache: it is another watch that tells of a change, and may be ahead of it.
	secret := &corev1.Secret{}
	err := r.Secrets.Live.Get(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: ref.Name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		s.importErr = fault.Waitingf(v1alpha1.ReasonSecretNotFound, "Secret %s of spec.secretRef does not exist", ref.Name)
		return nil
	case err != nil:
		return fmt.Errorf("reading Secret %s of spec.secretRef: %w", ref.Name, err)
	case kube.OwnershipOf(secret, s.object, kind) != kube.Foreign:
		s.importErr = fault.Terminalf(v1alpha1.ReasonInvalidSecret,
			"Secret %s of spec.secretRef is the one that Claviger publishes for this %s; bring one of your own, under another name", ref.Name, kind)
		return nil
	}
	s.imported, s.importErr = credential.ReadImported(secret, *ref, s.established())
	if s.importErr == nil {
		s.client.ID = s.imported.ClientID
	}
	return nil
}

// established is the client ID that the credential has already, or empty where its user has yet to bring it.
func (s *scope) established() string {
	if s.object.Spec.ClientID != "" {
		return s.object.Spec.ClientID
	}
	return s.object.Status.ClientID
}

// judge asks the rules.
func (r *Reconciler) judge(ctx context.Context, s *scope) error {
	subject, err := r.subject(ctx, s.client)
	if err != nil {
		return err
	}
	s.subject, s.judged = subject, true
	s.verdict, s.lifetime = r.Minter.Rules.Judge(subject), r.Minter.Rules.TokenLifetime(subject)
	return nil
}

// admit stops at a credential that is not allowed. It keeps the Secret it may have, so that lifting a suspension is enough to
// make it work again, and gets no new one. What its user brings comes second.
func (*Reconciler) admit(_ context.Context, s *scope) error {
	if s.verdict != nil {
		return s.verdict
	}
	return s.blocked(s.importErr)
}

// subject gathers all that the verdict about a client depends on.
func (r *Reconciler) subject(ctx context.Context, of *credential.Client) (credential.Subject, error) {
	subject, lookup := credential.Subject{Client: of}, kube.Lookup{Reader: r.Client}
	var err error
	if subject.Namespace, err = lookup.Namespace(ctx, of.Namespace); err != nil {
		return subject, err
	}
	if subject.Account, err = lookup.Account(ctx, of.AccountID); err != nil {
		return subject, err
	}
	var claimants v1alpha1.ClientCredentialList
	if err := r.List(ctx, &claimants, client.MatchingFields{clientIDIndex: of.ID}); err != nil {
		return subject, fmt.Errorf("listing the claimants of a client ID: %w", err)
	}
	for i := range claimants.Items {
		rival := credential.ReadClient(&claimants.Items[i])
		if rival.UID != of.UID && rival.Outranks(of) && (subject.Rival == nil || rival.Outranks(subject.Rival)) {
			subject.Rival = rival
		}
	}
	return subject, nil
}
