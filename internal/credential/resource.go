// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// Resource is what decides over one ProtectedResource, read from the object once. It is immutable.
type Resource struct {
	// Name is "<namespace>/<name>", as guards name it.
	Name string
	UID  types.UID
	// Namespace is the one that it stands in.
	Namespace string
	// AccountID is empty for one of type API, which is the platform's own.
	AccountID string
	// URL is the resource identifier as the object spells it: the aud of tokens for it. ID is its canonical form, in which two are
	// compared.
	URL, ID string
	// Scopes are all that a token needs: the one of the type first.
	Scopes oauth.Scopes
	// RequireAudience refuses tokens that name no resource.
	RequireAudience bool
	// DisplayName and DocumentationURL are for people. Empty: there is none.
	DisplayName, DocumentationURL string

	createdAt time.Time
	suspended bool
	deleting  bool
}

// ReadResource reads a ProtectedResource.
func ReadResource(object *v1alpha1.ProtectedResource) *Resource {
	resource := &Resource{
		Name:             object.Namespace + "/" + object.Name,
		UID:              object.UID,
		Namespace:        object.Namespace,
		URL:              string(object.Spec.URL),
		ID:               resourceID(object.Spec.URL),
		Scopes:           oauth.Scopes{string(object.Spec.Type)},
		RequireAudience:  object.Spec.RequireAudience,
		DisplayName:      object.Spec.DisplayName,
		DocumentationURL: object.Spec.DocumentationURL,
		createdAt:        object.CreationTimestamp.Time,
		suspended:        object.Spec.Suspend,
		deleting:         !object.DeletionTimestamp.IsZero(),
	}
	if object.Spec.AccountRef != nil {
		resource.AccountID = object.Spec.AccountRef.Name
	}
	for _, scope := range object.Spec.Scopes {
		if !resource.Scopes.Has(string(scope)) {
			resource.Scopes = append(resource.Scopes, string(scope))
		}
	}
	return resource
}

// resourceID gives the canonical form of a URL. One that never passed an API server may have none: then nobody can ask for it.
func resourceID(url v1alpha1.ResourceURL) string {
	id, err := oauth.CanonicalResource(string(url))
	if err != nil {
		return string(url)
	}
	return id
}

// Outranks reports whether this resource has the URL that both claim: the older one or, of two of the same second, the one whose
// UID sorts first.
func (r *Resource) Outranks(other *Resource) bool {
	return older(r.createdAt, other.createdAt, r.UID, other.UID)
}

// older: a time in an object has whole seconds, so the UID decides where they are the same.
func older(one, other time.Time, oneUID, otherUID types.UID) bool {
	if !one.Equal(other) {
		return one.Before(other)
	}
	return oneUID < otherUID
}

// ConsoleLevel reports whether the resource belongs to the platform rather than to one account.
func (r *Resource) ConsoleLevel() bool { return r.AccountID == "" }

// ResourceSubject is a resource with all that its verdict depends on.
type ResourceSubject struct {
	Resource  *Resource
	Namespace Namespace
	// Account is nil where the resource has none, or it does not exist.
	Account *Account
	// Rival is a resource of the same URL that outranks this one, or nil.
	Rival *Resource
}
