// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
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
	key := s.secretKey()
	secret, err := r.Secrets.Load(ctx, key)
	if err != nil {
		return err
	}
	if secret != nil && kube.OwnershipOf(secret, s.object, kind) == kube.Foreign {
		return fault.Terminalf(v1alpha1.ReasonSecretConflict, "Secret %s exists and is not this object's; it is left alone", key.Name)
	}
	desired := kube.Desired{
		Key: key, Type: v1alpha1.SecretTypeBinding, Purpose: v1alpha1.PurposeConnectionToken, Data: data,
		Own:      map[string]string{v1alpha1.AnnotationChecksum: render.Checksum(data, []byte(record.AccessToken.Reveal()))},
		Outlives: s.object.Spec.DeletionPolicy == v1alpha1.DeletionRetain,
	}
	if template := s.object.Spec.SecretTemplate; template != nil {
		desired.Labels, desired.Annotations = plain(template.Labels), plain(template.Annotations)
	}
	if _, err := r.Secrets.Publish(ctx, s.object, secret, desired); err != nil {
		return err
	}
	s.published = true
	s.object.Status.Binding = &v1alpha1.SecretBinding{Name: key.Name}
	return nil
}
