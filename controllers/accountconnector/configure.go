// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
)

// judge asks the rules whether the account may have a connection here.
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
	return s.verdict
}

// configure finds the Connector, the properties and the client, and makes the token request of them.
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
	properties, err := r.properties(ctx, s)
	if err != nil {
		return err
	}
	if err := connector.CheckProperties(found.Spec.Properties, properties); err != nil {
		return err
	}
	credentials, err := r.client(ctx, found, properties)
	if err != nil {
		return err
	}
	if found.Spec.TokenURL == "" {
		return fault.Terminalf(v1alpha1.ReasonInvalidConnector, "Connector %s has no tokenURL", found.Name)
	}
	tokenURL, err := connector.Expand(string(found.Spec.TokenURL), properties)
	if err != nil {
		return err
	}
	if found.Spec.RevocationURL != "" {
		if s.revocationURL, err = connector.Expand(string(found.Spec.RevocationURL), properties); err != nil {
			return err
		}
	}
	s.connector = found
	s.request = tokenendpoint.Request{
		TokenURL: tokenURL, Client: credentials, Parameters: plain(found.Spec.TokenParameters), ResponsePath: found.Spec.TokenResponsePath,
	}
	if found.Spec.Grant == v1alpha1.GrantClientCredentials {
		s.request.Scope = scopeOf(found, s.object) // a refresh asks for what was granted
	}
	s.configuration = connector.Configuration(tokenURL, credentials.ID, credentials.Secret, s.request.Scope, string(credentials.Style), credentials.KeyID)
	return nil
}

func scopeOf(of *v1alpha1.Connector, object *v1alpha1.AccountConnector) string {
	scopes := of.Spec.Scopes
	if len(object.Spec.Scopes) > 0 {
		scopes = object.Spec.Scopes
	}
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	separator := of.Spec.ScopeSeparator
	if separator == "" {
		separator = " "
	}
	return strings.Join(names, separator)
}

// properties reads all of them, from the spec and from Secrets of the object's own namespace.
func (r *Reconciler) properties(ctx context.Context, s *scope) (map[string]string, error) {
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

func (r *Reconciler) secretValue(ctx context.Context, s *scope, ref v1alpha1.SecretKeyReference) ([]byte, error) {
	secret := &corev1.Secret{}
	err := r.Secrets.Live.Get(ctx, client.ObjectKey{Namespace: s.object.Namespace, Name: ref.Name}, secret)
	if apierrors.IsNotFound(err) {
		return nil, fault.Waitingf(v1alpha1.ReasonSecretNotFound, "Secret %s does not exist", ref.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", ref.Name, err)
	}
	value, there := secret.Data[string(ref.Key)]
	if !there {
		return nil, fault.Waitingf(v1alpha1.ReasonInvalidSecret, "Secret %s has no key %s", ref.Name, ref.Key)
	}
	return value, nil
}

// client finds whose app registration is used.
func (r *Reconciler) client(ctx context.Context, of *v1alpha1.Connector, properties map[string]string) (tokenendpoint.Credentials, error) {
	credentials := tokenendpoint.Credentials{
		ID: properties[connector.PropertyClientID], Secret: oauth.NewSecret(properties[connector.PropertyClientSecret]), Style: of.Spec.AuthStyle,
	}
	switch {
	case of.Spec.Client == v1alpha1.ClientShared && credentials.ID != "":
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidProperty, "Connector %s uses one app registration for all accounts, so there is no property ClientId", of.Name)
	case of.Spec.Client == v1alpha1.ClientAccount && credentials.ID == "":
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidProperty, "Connector %s has every account bring its own app registration: set properties ClientId and ClientSecret", of.Name)
	case credentials.ID != "":
		return withKey(credentials, []byte(credentials.Secret.Reveal()), "property ClientSecret")
	}
	return r.sharedClient(ctx, of)
}

// sharedClient reads the Connector's own app registration.
func (r *Reconciler) sharedClient(ctx context.Context, of *v1alpha1.Connector) (tokenendpoint.Credentials, error) {
	key, secret := client.ObjectKey{Namespace: r.Grants.Namespace, Name: of.Spec.ClientSecretRef.Name}, &corev1.Secret{}
	err := r.Secrets.Live.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		return tokenendpoint.Credentials{}, fault.Waitingf(v1alpha1.ReasonInvalidConnector, "the Secret of the app registration of Connector %s does not exist", of.Name)
	}
	if err != nil {
		return tokenendpoint.Credentials{}, fmt.Errorf("reading Secret %s: %w", key, err)
	}
	credentials := tokenendpoint.Credentials{
		ID: string(secret.Data[v1alpha1.SecretKeyClientID]), Secret: oauth.NewSecret(string(secret.Data[v1alpha1.SecretKeyClientSecret])),
		KeyID: string(secret.Data["key_id"]), Style: of.Spec.AuthStyle,
	}
	if credentials.ID == "" {
		return credentials, fault.Waitingf(v1alpha1.ReasonInvalidConnector, "the Secret of the app registration of Connector %s has no client_id", of.Name)
	}
	return withKey(credentials, secret.Data["private_key"], "the private_key of the app registration")
}

// withKey reads the private key of a client that signs assertions.
func withKey(credentials tokenendpoint.Credentials, text []byte, what string) (tokenendpoint.Credentials, error) {
	if credentials.Style != v1alpha1.AuthStylePrivateKeyJWT {
		return credentials, nil
	}
	credentials.Secret = oauth.Secret{}
	block, _ := pem.Decode(text)
	if block == nil {
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidConnector, "%s is no PEM", what)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, signs := key.(crypto.Signer)
	if err != nil || !signs {
		return credentials, fault.Terminalf(v1alpha1.ReasonInvalidConnector, "%s is no private key in PKCS #8", what)
	}
	credentials.Key = signer
	return credentials, nil
}

func plain[V ~string](values map[string]V) map[string]string {
	texts := make(map[string]string, len(values))
	for key, value := range values {
		texts[key] = string(value)
	}
	return texts
}
