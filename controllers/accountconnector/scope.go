// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
)

// scope is what one reconciliation knows. Phases fill it in; summarize turns it into the status.
type scope struct {
	// stored is the object as the API server has it; object is the one that is worked on.
	stored, object *v1alpha1.AccountConnector

	// verdict says why the rules do not allow the connection, and configErr why it cannot be used as it is configured.
	judged             bool
	verdict, configErr error

	// secrets are those of tenants that were read, by name.
	secrets   map[string]*corev1.Secret
	connector *v1alpha1.Connector
	// properties are the account's, with their values; setup is how the provider is talked to.
	properties map[string]string
	setup      setup.Setup

	// recordErr says why nobody knows what there is of the grant.
	recordErr error
	// importErr says why the AuthValue is not imported.
	importErr error

	// known says that standing is what there is of the grant.
	known    bool
	standing connector.Standing
	// pending is a sign-in that nobody has confirmed yet, or nil.
	pending *connector.Pending

	// published says that the Secret has what the grant has, withdrawn that it has no token any more; publishErr what is in the way.
	published, withdrawn bool
	publishErr           error
	// wake is the next time at which there is something to do, or zero.
	wake time.Time
}

func newScope(object *v1alpha1.AccountConnector) *scope {
	return &scope{stored: object.DeepCopy(), object: object, secrets: map[string]*corev1.Secret{}}
}

// grantName is that of the grant: an AccountConnector that is made anew has another.
func (s *scope) grantName() string { return string(s.object.UID) }

// secretKey is the output Secret.
func (s *scope) secretKey() client.ObjectKey {
	key := client.ObjectKeyFromObject(s.object)
	if template := s.object.Spec.SecretTemplate; template != nil && template.Name != "" {
		key.Name = template.Name
	}
	return key
}

// wakeAt asks for another look at that time, unless it is zero or an earlier one is asked for.
func (s *scope) wakeAt(at time.Time) {
	if !at.IsZero() && (s.wake.IsZero() || at.Before(s.wake)) {
		s.wake = at
	}
}
