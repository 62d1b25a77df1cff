// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/issuer"
)

// scope is what one reconciliation knows. Phases fill it in; summarize turns it into the status.
type scope struct {
	// stored is the object as the API server has it; object is the one that is worked on.
	stored *v1alpha1.ClientCredential
	object *v1alpha1.ClientCredential
	// readyBefore is the condition Ready at the start, or nil: an event tells of a change.
	readyBefore *metav1.Condition

	client   *credential.Client
	rotation credential.Rotation

	// imported is what the Secret of spec.secretRef holds; importErr says why that cannot be used.
	imported  credential.Imported
	importErr error

	// judged and verdict are the rules' answer about the subject; verdict is nil where they allow the credential.
	judged  bool
	subject credential.Subject
	verdict error
	// lifetime is that of the next token.
	lifetime time.Duration

	// resources finds those of spec.resources; resourcesErr says what is wrong with the first one that tokens cannot be for.
	resources    issuer.ResourceAt
	resourcesErr error

	pepper credential.Pepper
	// secret is the one that exists under the desired name, or nil. earlier says that it is an earlier object's.
	secret  *corev1.Secret
	earlier bool
	// owned are all Secrets of this object or of earlier ones of its name. Of these, others are the Secrets of former names;
	// leftovers those that an earlier object of this name had given up; tokens those of access tokens, among them the current one.
	owned, others, leftovers, tokens []corev1.Secret

	todo credential.Plan
	data map[string][]byte
	// bound is true once Secret and verifiers agree, and published once all else that is to be delivered is; otherwise
	// publishErr says what is in the way.
	bound      bool
	published  bool
	publishErr error
	// replaced is true where there is a new client secret. Where there is no Secret of ours, that is so once the status says it.
	replaced bool
	// wake is the next time at which there is something to do, or zero.
	wake time.Time
}

func newScope(object *v1alpha1.ClientCredential) *scope {
	stored := object.DeepCopy()
	return &scope{
		stored:      stored,
		object:      object,
		readyBefore: meta.FindStatusCondition(stored.Status.Conditions, v1alpha1.ConditionReady),
		client:      credential.ReadClient(object),
		rotation:    credential.ReadRotation(object),
	}
}

// publishes reports whether there shall be a Secret of ours: with one that its user brings, only where a template asks for it.
func (s *scope) publishes() bool {
	return s.object.Spec.SecretRef == nil || s.object.Spec.SecretTemplate != nil
}

// secretKey is the Secret that is published.
func (s *scope) secretKey() client.ObjectKey {
	key := client.ObjectKeyFromObject(s.object)
	if template := s.object.Spec.SecretTemplate; template != nil && template.Name != "" {
		key.Name = template.Name
	}
	return key
}

// bindingName is the Secret that holds the client ID and secret.
func (s *scope) bindingName() string {
	if s.publishes() {
		return s.secretKey().Name
	}
	return s.object.Spec.SecretRef.Name
}

// outlives reports whether the Secret stays when the object goes.
func (s *scope) outlives() bool { return s.object.Spec.DeletionPolicy == v1alpha1.DeletionRetain }

// wakeAt asks for another look at that time, unless it is zero or an earlier one is asked for.
func (s *scope) wakeAt(at time.Time) {
	if !at.IsZero() && (s.wake.IsZero() || at.Before(s.wake)) {
		s.wake = at
	}
}

// blocked notes what is in the way of publishing, and gives it back.
func (s *scope) blocked(err error) error {
	s.publishErr = err
	return err
}
