// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

// plan decides what the client secret shall be.
func (r *Reconciler) plan(_ context.Context, s *scope) error {
	observed := credential.Observed{
		Client: s.client, Pepper: s.pepper, Rotation: s.rotation, Known: s.object.Status.Rotation, Now: r.Now(),
	}
	if s.object.Spec.SecretRef != nil {
		s.todo = credential.MakeImportPlan(s.imported.Secret, observed)
		return nil
	}
	if s.secret != nil {
		observed.Held = s.heldIn(s.secret, s.earlier)
	}
	for i := range s.others {
		observed.Held = append(observed.Held, s.heldIn(&s.others[i], false)...)
	}
	if successor, ok := r.prepared.Load(client.ObjectKeyFromObject(s.object)); ok {
		observed.Prepared = successor.(prepared).secret
	}
	var err error
	s.todo, err = credential.MakePlan(r.Random, observed)
	return s.blocked(err)
}

// render makes the data of the Secret, before anything is written: a template that is wrong changes nothing.
func (r *Reconciler) render(_ context.Context, s *scope) error {
	bundle, err := r.Trust.Bundle()
	if err != nil {
		return s.blocked(err)
	}
	s.data, err = render.SecretData(render.Values{
		ClientID:     s.client.ID,
		ClientSecret: s.todo.Secret,
		Issuer:       r.Minter.Issuer,
		TokenURL:     r.TokenURL,
		Scopes:       s.client.Scopes,
		AccountID:    s.client.AccountID,
		CACert:       bundle,
	}, s.object.Spec.SecretTemplate)
	return s.blocked(err)
}

// prepared is a successor whose verifier was written.
type prepared struct {
	secret oauth.Secret
	at     time.Time
}

// settling is how long before a secret that works is replaced its successor's verifier was written: every replica of the token
// service has it by then, so that no client meets one that does not know the secret which it has just read.
const settling = 2 * time.Second

// errSettling says that it is not time yet.
var errSettling = errors.New("the successor's verifier is on its way to the token service")

// stageVerifiers writes the verifiers before the Secret where clients may still hold another secret: dying between the two
// writes then leaves a verifier for a secret that nobody has, instead of a Secret that nothing verifies. Where a user brings
// the Secret, and there is no other, clients may have it already, and one write does.
func (r *Reconciler) stageVerifiers(ctx context.Context, s *scope) error {
	if !s.todo.Replaces() || !s.publishes() {
		return nil
	}
	key := client.ObjectKeyFromObject(s.object)
	s.object.Status.Verifiers = s.todo.Staged.Write()
	if !equality.Semantic.DeepEqual(s.stored.Status.Verifiers, s.object.Status.Verifiers) {
		if err := r.patchStatus(ctx, s); err != nil {
			s.object.Status.Verifiers = s.stored.Status.Verifiers // of a secret that will never be published
			return s.blocked(err)
		}
		r.prepared.Store(key, prepared{secret: s.todo.Secret, at: r.Now()})
	}
	if s.todo.Cause == "" || s.todo.Cause == credential.CauseHealing {
		return nil // workloads have the secret already, or there is none that works: every moment counts
	}
	if successor, ok := r.prepared.Load(key); ok {
		if age := r.Now().Sub(successor.(prepared).at); age >= 0 && age < settling {
			return errSettling
		}
	}
	return nil
}

// publish writes the Secret, and then takes the verifiers that go with it.
func (r *Reconciler) publish(ctx context.Context, s *scope) error {
	wrote := s.todo.Replaces()
	if s.publishes() {
		var err error
		if wrote, err = r.Secrets.Publish(ctx, s.object, s.secret, s.desired()); err != nil {
			return s.blocked(refusedBySchema(s.secretKey().Name, err))
		}
	}
	s.bound = true
	s.client.Verifiers = s.todo.Published
	s.object.Status.Verifiers = s.todo.Published.Write()
	r.prepared.Delete(client.ObjectKeyFromObject(s.object))
	s.wakeAt(s.todo.Published.NextExpiry(r.Now()))
	s.wakeAt(s.rotation.Next(s.todo.Made))
	s.replaced = wrote && s.todo.Cause != ""
	if s.replaced && s.publishes() {
		r.tellReplaced(s)
	}
	return nil
}

// desired is the Secret that the plan asks for.
func (s *scope) desired() kube.Desired {
	desired := kube.Desired{
		Key:      s.secretKey(),
		Type:     v1alpha1.SecretTypeBinding,
		Purpose:  v1alpha1.PurposeClientCredential,
		Data:     s.data,
		Own:      map[string]string{v1alpha1.AnnotationChecksum: render.Checksum(s.data, s.checksumKey())},
		Outlives: s.outlives(),
	}
	maps.Copy(desired.Own, s.todo.Made.Annotations())
	if template := s.object.Spec.SecretTemplate; template != nil {
		if template.Type != "" {
			desired.Type = corev1.SecretType(template.Type)
		}
		desired.Labels, desired.Annotations = plain(template.Labels), plain(template.Annotations)
	}
	return desired
}

// checksumKey is the client secret, which nobody can guess; of one that its user brings, who knows, the digest that takes the
// pepper.
func (s *scope) checksumKey() []byte {
	if s.object.Spec.SecretRef == nil {
		return []byte(s.todo.Secret.Reveal())
	}
	digest := s.pepper.Digest(s.client.UID, s.client.ID, s.todo.Secret)
	return digest[:]
}

func plain[V ~string](values map[string]V) map[string]string {
	texts := make(map[string]string, len(values))
	for key, value := range values {
		texts[key] = string(value)
	}
	return texts
}

// refusedBySchema makes a terminal fault of a Secret that Kubernetes will never take: a type that wants other keys, a label
// that is none. It names the fields; the API server's own words may quote values. A policy that refuses names no field, and may
// be lifted.
func refusedBySchema(name string, err error) error {
	if apierrors.IsRequestEntityTooLargeError(err) {
		return fault.Terminalf(v1alpha1.ReasonInvalidTemplate, "Kubernetes does not take Secret %s: it is too large", name)
	}
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return err
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Field != "" && strings.HasPrefix(string(cause.Type), "FieldValue") {
			fields = append(fields, cause.Field)
		}
	}
	if len(fields) == 0 {
		return err
	}
	return fault.Terminalf(v1alpha1.ReasonInvalidTemplate,
		"Kubernetes does not take Secret %s as spec.secretTemplate or spec.accessToken makes it; see its %s", name, strings.Join(fields, ", "))
}
