// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
)

// binding is what a workload reads from a credential's Secret. What the Secret does not hold is empty.
type binding struct {
	// secret names the Secret, for messages.
	secret       string
	clientID     string
	clientSecret oauth.Secret
	issuer       string
	tokenURL     string
	caCert       []byte
	// owned is true where the Secret is one that the manager writes for this credential, so that it tells the truth about
	// the issuer.
	owned bool
}

// readBinding reads the Secret that clients of a credential use: the one that Claviger publishes, else the one that its user
// brought.
func readBinding(ctx context.Context, api client.Reader, object *v1alpha1.ClientCredential) (binding, error) {
	name, brought := secretOf(object)
	if name == "" {
		return binding{}, fmt.Errorf("credential %s has no Secret yet: %s", object.Name, adviceFor(object, object.Status.Conditions))
	}
	secret := &corev1.Secret{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: object.Namespace, Name: name}, secret); err != nil {
		return binding{}, fmt.Errorf("reading the Secret of credential %s: %w", object.Name, err)
	}
	if brought {
		return readBrought(object, secret)
	}
	value := func(key string) string { return string(secret.Data[render.Key(object.Spec.SecretTemplate, key)]) }
	read := binding{
		secret:       name,
		clientID:     value(v1alpha1.SecretKeyClientID),
		clientSecret: oauth.NewSecret(value(v1alpha1.SecretKeyClientSecret)),
		issuer:       value(v1alpha1.SecretKeyIssuer),
		tokenURL:     value(v1alpha1.SecretKeyTokenURL),
		caCert:       []byte(value(v1alpha1.SecretKeyCACert)),
		owned:        kube.OwnershipOf(secret, object, kindCredential) == kube.Own,
	}
	return read, read.check()
}

// readBrought reads a Secret of spec.secretRef as the manager does. It need not say anything about the issuer.
func readBrought(object *v1alpha1.ClientCredential, secret *corev1.Secret) (binding, error) {
	imported, err := credential.ReadImported(secret, *object.Spec.SecretRef, cmp.Or(object.Spec.ClientID, object.Status.ClientID))
	if err != nil {
		return binding{}, err
	}
	return binding{secret: secret.Name, clientID: imported.ClientID, clientSecret: imported.Secret}, nil
}

func (b binding) check() error {
	if b.clientID == "" || b.clientSecret.Reveal() == "" {
		return fmt.Errorf("the client ID or secret is missing from Secret %s", b.secret)
	}
	return nil
}

// secretOf names the Secret that a credential's clients use, and reports whether it is one that its user brought.
func secretOf(object *v1alpha1.ClientCredential) (string, bool) {
	published, ref := object.Status.Binding, object.Spec.SecretRef
	switch {
	case published != nil && (ref == nil || published.Name != ref.Name):
		return published.Name, false
	case ref != nil:
		return ref.Name, true
	default:
		return "", false
	}
}

// secretKeys says which keys the Secret of a credential has. Their values are nobody's business here.
func secretKeys(ctx context.Context, api client.Reader, object *v1alpha1.ClientCredential) (string, error) {
	name, _ := secretOf(object)
	if name == "" {
		return "", nil
	}
	secret := &corev1.Secret{}
	err := api.Get(ctx, client.ObjectKey{Namespace: object.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsForbidden(err):
		return "not shown: you may not read the Secret", nil
	case apierrors.IsNotFound(err):
		return "none: there is no such Secret", nil
	case err != nil:
		return "", fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return strings.Join(slices.Sorted(maps.Keys(secret.Data)), ", "), nil
}
