// SPDX-License-Identifier: Apache-2.0

package builder

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// ClientIDOverride sets the client ID that a credential shall have instead of "<namespace>.<name>".
func ClientIDOverride(id string) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.ClientID = id })
}

// KnownAs sets the client ID that a credential has had so far, which the manager would write.
func KnownAs(id string) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Status.ClientID = id })
}

// SecretFrom makes a credential bring its client ID and secret in a Secret of that name, under the default keys.
func SecretFrom(name string) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) {
		c.Spec.SecretRef = &v1alpha1.ClientSecretReference{
			Name: name, ClientIDKey: v1alpha1.SecretKeyClientID, ClientSecretKey: v1alpha1.SecretKeyClientSecret,
		}
	})
}

// Rotation sets all of spec.rotation. Options after it change one field each.
func Rotation(rotation v1alpha1.Rotation) CredentialOption {
	return rotationFunc(func(r *v1alpha1.Rotation) { *r = rotation })
}

// Interval makes a credential's secret be replaced that often.
func Interval(interval time.Duration) CredentialOption {
	return rotationFunc(func(r *v1alpha1.Rotation) { r.Interval = &metav1.Duration{Duration: interval} })
}

// Overlap sets how long a secret that was replaced goes on working.
func Overlap(overlap time.Duration) CredentialOption {
	return rotationFunc(func(r *v1alpha1.Rotation) { r.Overlap = &metav1.Duration{Duration: overlap} })
}

// Trigger sets the text whose change replaces a credential's secret.
func Trigger(trigger string) CredentialOption {
	return rotationFunc(func(r *v1alpha1.Rotation) { r.Trigger = trigger })
}

// RevokeTokensWithSecret makes tokens die with the secret that they were taken with.
func RevokeTokensWithSecret() CredentialOption {
	return rotationFunc(func(r *v1alpha1.Rotation) { r.RevokeTokens = true })
}

// RevokeTokensBefore kills a credential's tokens that were issued before that time.
func RevokeTokensBefore(at time.Time) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.RevokeTokensBefore = &metav1.Time{Time: at} })
}

// Template says what a credential's Secret is called and looks like.
func Template(template v1alpha1.SecretTemplate) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = &template })
}

// DeliverToken delivers a live token with all of a credential's scopes in a Secret of that name; an empty one means the default.
func DeliverToken(secretName string) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) {
		c.Spec.AccessToken = &v1alpha1.AccessTokenDelivery{SecretName: secretName}
	})
}

// Retained leaves a credential's Secret when the credential is deleted.
func Retained() CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
}

// rotationFunc changes spec.rotation, which there is from then on.
func rotationFunc(change func(*v1alpha1.Rotation)) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) {
		if c.Spec.Rotation == nil {
			c.Spec.Rotation = &v1alpha1.Rotation{}
		}
		change(c.Spec.Rotation)
	})
}

// JWKS sets the JWK Set of a credential's public keys.
func JWKS(set string) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.JWKS = set })
}

// PublicKeys sets a credential's public keys as PEM.
func PublicKeys(keys ...v1alpha1.PublicKey) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.PublicKeys = keys })
}

// ServiceAccounts sets the ServiceAccounts that may authenticate as the credential's client.
func ServiceAccounts(names ...v1alpha1.ServiceAccountName) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.ServiceAccounts = names })
}
