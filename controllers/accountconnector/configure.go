// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
)

// judge asks the rules whether the account may have a connection here. Where it may not, the access token is taken out of its Secret.
func (r *Reconciler) judge(ctx context.Context, s *scope) error {
	lookup := kube.Lookup{Reader: r.Client}
	namespace, err := lookup.Namespace(ctx, s.object.Namespace)
	if err != nil {
		return err
	}
	account, err := lookup.Account(ctx, s.object.Spec.AccountRef.Name)
	if err != nil {
		return err
	}
	s.judged = true
	s.verdict = credential.JudgeConnection(s.object, account, namespace)
	if s.verdict == nil {
		return nil
	}
	if s.publishErr = r.withdraw(ctx, s); s.publishErr != nil {
		return s.publishErr
	}
	return s.verdict
}

// configure finds the Connector, the properties and the client, and makes of them how the provider is talked to.
func (r *Reconciler) configure(ctx context.Context, s *scope) error {
	s.configErr = r.tryConfigure(ctx, s)
	return s.configErr
}

func (r *Reconciler) tryConfigure(ctx context.Context, s *scope) error {
	found := &v1alpha1.Connector{}
	err := r.Get(ctx, client.ObjectKey{Name: s.object.Spec.ConnectorRef.Name}, found)
	if apierrors.IsNotFound(err) {
		return fault.Waitingf(v1alpha1.ReasonConnectorNotFound, "Connector %s does not exist", s.object.Spec.ConnectorRef.Name)
	}
	if err != nil {
		return fmt.Errorf("reading Connector %s: %w", s.object.Spec.ConnectorRef.Name, err)
	}
	if refersToSecrets(s.object, found) {
		if err := r.imported.Start(); err != nil {
			return fmt.Errorf("watching the Secrets that connections refer to: %w", err)
		}
	}
	if s.properties, err = r.readProperties(ctx, s); err != nil {
		return err
	}
	registrations := kube.Registrations{Live: r.Secrets.Live, Namespace: r.Grants.Namespace}
	s.setup, err = setup.Resolve(found, s.object.Spec.Scopes, s.properties, func() (setup.Registration, error) {
		return registrations.Read(ctx, found)
	})
	if err != nil {
		return err
	}
	s.connector = found
	return nil
}

// readProperties reads all of them, from the spec and from Secrets of the object's own namespace.
func (r *Reconciler) readProperties(ctx context.Context, s *scope) (map[string]string, error) {
	all := map[string]string{}
	for _, property := range s.object.Spec.Properties {
		value := property.Value
		if property.ValueFrom != nil {
			content, err := r.secretValue(ctx, s, property.ValueFrom.SecretKeyRef)
			if err != nil {
				return nil, err
			}
			value = strings.TrimSpace(string(content))
		}
		all[string(property.Name)] = value
	}
	return all, nil
}

// secretValue reads a key of a Secret. Each Secret is read once, so that all that comes from one is of the same moment.
func (r *Reconciler) secretValue(ctx context.Context, s *scope, ref v1alpha1.SecretKeyReference) ([]byte, error) {
	secret := s.secrets[ref.Name]
	if secret == nil {
		secret = &corev1.Secret{}
		err := r.Secrets.Live.Get(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: ref.Name}, secret)
		if apierrors.IsNotFound(err) {
			return nil, fault.Waitingf(v1alpha1.ReasonSecretNotFound, "Secret %s does not exist", ref.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("reading Secret %s: %w", ref.Name, err)
		}
		s.secrets[ref.Name] = secret
	}
	value, there := secret.Data[string(ref.Key)]
	if !there {
		return nil, fault.Waitingf(v1alpha1.ReasonInvalidSecret, "Secret %s has no key %s", ref.Name, ref.Key)
	}
	return value, nil
}

// refersToSecrets reports whether a connection, or its Connector, names a Secret that is somebody else's.
func refersToSecrets(object *v1alpha1.AccountConnector, through *v1alpha1.Connector) bool {
	return through.Spec.ClientSecretRef != nil || len(secretNames(object)) > 0
}

// secretNames are those of the object's own namespace that its spec refers to.
func secretNames(object *v1alpha1.AccountConnector) []string {
	var names []string
	add := func(from *v1alpha1.SecretValueSource) {
		if from != nil && !slices.Contains(names, from.SecretKeyRef.Name) {
			names = append(names, from.SecretKeyRef.Name)
		}
	}
	for _, property := range object.Spec.Properties {
		add(property.ValueFrom)
	}
	add(object.Spec.AuthValueFrom)
	return names
}

func plain[V ~string](values map[string]V) map[string]string {
	texts := make(map[string]string, len(values))
	for key, value := range values {
		texts[key] = string(value)
	}
	return texts
}
