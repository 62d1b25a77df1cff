// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// scope is what one reconciliation knows. Phases fill it in; summarize turns it into the status.
type scope struct {
	// stored is the object as the API server has it; object is the one that is worked on.
	stored *v1alpha1.ClientCredential
	object *v1alpha1.ClientCredential
	// readyBefore is the condition Ready at the start, or nil: an event tells of a change.
	readyBefore *metav1.Condition

	client    *credential.Client
	secretKey client.ObjectKey

	// judged and verdict are the rules' answer; verdict is nil where they allow the credential.
	judged  bool
	verdict error
	// published is true once Secret and verifiers agree; otherwise publishErr says what is in the way.
	published  bool
	publishErr error

	pepper credential.Pepper
	// secret is the one that exists, or nil.
	secret *corev1.Secret
	todo   credential.Plan
}

func newScope(object *v1alpha1.ClientCredential) *scope {
	stored := object.DeepCopy()
	return &scope{
		stored:      stored,
		object:      object,
		readyBefore: meta.FindStatusCondition(stored.Status.Conditions, v1alpha1.ConditionReady),
		client:      credential.ReadClient(object),
		secretKey:   client.ObjectKeyFromObject(object),
	}
}
