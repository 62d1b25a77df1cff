// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// Registrations reads the app registrations of Connectors.
type Registrations struct {
	// Live reads from the API server.
	Live client.Reader
	// Namespace is the connections namespace.
	Namespace string
}

// Read reads the app registration of a Connector that has one for all accounts. It fails with a fault where there is none.
func (r Registrations) Read(ctx context.Context, of *v1alpha1.Connector) (setup.Registration, error) {
	if of.Spec.ClientSecretRef == nil {
		return setup.Registration{}, fault.Terminalf(v1alpha1.ReasonInvalidConnector, "Connector %s has no app registration", of.Name)
	}
	key, secret := client.ObjectKey{Namespace: r.Namespace, Name: of.Spec.ClientSecretRef.Name}, &corev1.Secret{}
	err := r.Live.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		return setup.Registration{}, fault.Waitingf(v1alpha1.ReasonInvalidConnector, "the Secret of the app registration of Connector %s does not exist", of.Name)
	}
	if err != nil {
		return setup.Registration{}, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	return setup.Registration{
		ID: string(secret.Data[v1alpha1.SecretKeyClientID]), Secret: oauth.NewSecret(string(secret.Data[v1alpha1.SecretKeyClientSecret])),
		PrivateKey: secret.Data["private_key"], KeyID: string(secret.Data["key_id"]),
	}, nil
}
