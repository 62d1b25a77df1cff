// SPDX-License-Identifier: Apache-2.0

package builder

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// ResourceOption changes a ProtectedResource.
type ResourceOption interface {
	resource(*v1alpha1.ProtectedResource)
}

type resourceFunc func(*v1alpha1.ProtectedResource)

func (f resourceFunc) resource(r *v1alpha1.ProtectedResource) { f(r) }

// ProtectedResource makes a resource: of type API or, with OfAccount, of type Webhook.
func ProtectedResource(namespace, name, url string, options ...ResourceOption) *v1alpha1.ProtectedResource {
	resource := &v1alpha1.ProtectedResource{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	resource.Spec.URL = v1alpha1.ResourceURL(url)
	for _, option := range options {
		option.resource(resource)
	}
	switch {
	case resource.Spec.Type != "":
	case resource.Spec.AccountRef == nil:
		resource.Spec.Type = v1alpha1.ResourceAPI
	default:
		resource.Spec.Type = v1alpha1.ResourceWebhook
	}
	return resource
}

// OfAccount makes a resource one of an account's.
func OfAccount(account string) ResourceOption {
	return resourceFunc(func(r *v1alpha1.ProtectedResource) { r.Spec.AccountRef = &v1alpha1.AccountReference{Name: account} })
}

// OfType sets what a resource is.
func OfType(kind v1alpha1.ResourceType) ResourceOption {
	return resourceFunc(func(r *v1alpha1.ProtectedResource) { r.Spec.Type = kind })
}

// Needing sets the scopes that a resource needs beside the one of its type.
func Needing(scopes ...v1alpha1.Scope) ResourceOption {
	return resourceFunc(func(r *v1alpha1.ProtectedResource) { r.Spec.Scopes = scopes })
}

// RequiringAudience makes a resource refuse tokens that name no resource.
func RequiringAudience() ResourceOption {
	return resourceFunc(func(r *v1alpha1.ProtectedResource) { r.Spec.RequireAudience = true })
}

// ForResources sets the URLs that a credential's tokens are for.
func ForResources(urls ...v1alpha1.ResourceURL) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.Resources = urls })
}
