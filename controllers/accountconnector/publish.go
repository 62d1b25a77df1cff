// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

// publish writes the output Secret where it differs from what the grant has. While there is no access token there is no Secret; one
// that is there stays as it is.
func (r *Reconciler) publish(ctx context.Context, s *scope) error {
	s.publishErr = r.tryPublish(ctx, s)
	return s.publishErr
}

func (r *Reconciler) tryPublish(ctx context.Context, s *scope) error {
	record := s.standing.Record
	if !record.Connected() {
		return nil
	}
	values := render.Connection{
		AccessToken: record.AccessToken, TokenType: record.TokenType, ExpiresAt: record.ExpiresAt, Scope: record.Scope,
		AccountID: s.object.Spec.AccountRef.Name,
	}
	if s.connector.Spec.PublishRefreshToken {
		values.RefreshToken = record.RefreshToken
	}
	data, err := render.ConnectionData(values, s.object.Spec.SecretTemplate)
	if err != nil {
		return err
	}
	secret, err := r.Secrets.Load(ctx, s.secretKey())
	if err != nil {
		return err
	}
	if secret != nil && kube.OwnershipOf(secret, s.object, kind) == kube.Foreign {
		return fault.Terminalf(v1alpha1.ReasonSecretConflict, "Secret %s exists and is not this object's; it is left alone", secret.Name)
	}
	if _, err := r.Secrets.Publish(ctx, s.object, secret, s.desired(data, record.AccessToken)); err != nil {
		return err
	}
	s.published = true
	s.object.Status.Binding = &v1alpha1.SecretBinding{Name: s.secretKey().Name}
	return r.dropFormer(ctx, s)
}

// dropFormer deletes the output Secret that has another name than spec.secretTemplate says now: nobody keeps its token fresh, and nobody
// would take it away. The status says what it was, until that is written anew.
func (r *Reconciler) dropFormer(ctx context.Context, s *scope) error {
	former := s.stored.Status.Binding
	if former == nil || former.Name == s.secretKey().Name {
		return nil
	}
	secret, err := r.Secrets.Load(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: former.Name})
	if err != nil || secret == nil || kube.OwnershipOf(secret, s.object, kind) != kube.Own || !kube.IsPublished(secret, s.object, kind) {
		return err
	}
	return r.Secrets.Delete(ctx, secret)
}

// withdraw takes the access token, and all that a template has made of it, out of the output Secret. The Secret stays, and so does the
// grant: workloads that mount it see the token go and, when the connection may be used again, come back.
func (r *Reconciler) withdraw(ctx context.Context, s *scope) error {
	if err := r.dropFormer(ctx, s); err != nil {
		return err
	}
	secret, err := r.Secrets.Load(ctx, s.secretKey())
	if err != nil || secret == nil || kube.OwnershipOf(secret, s.object, kind) != kube.Own {
		return err
	}
	template := &v1alpha1.ConnectionSecretTemplate{}
	if s.object.Spec.SecretTemplate != nil {
		template.Keys = s.object.Spec.SecretTemplate.Keys
	}
	data, err := render.ConnectionData(render.Connection{AccountID: s.object.Spec.AccountRef.Name}, template)
	if err != nil {
		data = nil // keys that make no Secret hold up nothing here
	}
	if _, err := r.Secrets.Publish(ctx, s.object, secret, s.desired(data, oauth.Secret{})); err != nil {
		return err
	}
	s.withdrawn = true
	return nil
}

// desired is the output Secret with that data. The checksum changes with the token, and gives nothing of it away.
func (s *scope) desired(data map[string][]byte, token oauth.Secret) kube.Desired {
	desired := kube.Desired{
		Key: s.secretKey(), Type: v1alpha1.SecretTypeBinding, Purpose: v1alpha1.PurposeConnectionToken, Data: data,
		Own:      map[string]string{v1alpha1.AnnotationChecksum: render.Checksum(data, []byte(token.Reveal()))},
		Outlives: s.object.Spec.DeletionPolicy == v1alpha1.DeletionRetain,
	}
	if template := s.object.Spec.SecretTemplate; template != nil {
		desired.Labels, desired.Annotations = plain(template.Labels), plain(template.Annotations)
	}
	return desired
}
