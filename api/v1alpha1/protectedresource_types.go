// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ProtectedResourceSpec says which place there is that tokens guard, and what it asks of them.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'API' || has(self.accountRef)",message="a Webhook or MCP server belongs to an account: set accountRef"
// +kubebuilder:validation:XValidation:rule="self.type != 'API' || !has(self.accountRef)",message="type API is the platform's own and has no accountRef"
// +kubebuilder:validation:XValidation:rule="self.type != 'API' || !has(self.scopes)",message="type API has no scopes beyond API: no console-level token has another"
type ProtectedResourceSpec struct {
	// accountRef names the Account that the place belongs to: only that account's tokens are good there. Required for types
	// Webhook and MCP; type API has none.
	// Default: none. A change closes the place to the tokens of the account before, within a second.
	// +optional
	AccountRef *AccountReference `json:"accountRef,omitempty"`

	// type is what the place is: an account's Webhook or MCP server, or the platform's own API. A token needs the scope of the
	// same name. API is allowed only in the namespaces that the operator is configured for.
	// +required
	Type ResourceType `json:"type,omitempty"`

	// url is the resource identifier (RFC 8707 section 2): what clients name as resource, what stands in aud of their tokens, and
	// where they call. https, or http on loopback; no user and no fragment. Where two objects have one URL the older has it,
	// and the other says so. Case of the host, the default port and an empty path make no difference in that comparison.
	// A change closes the place to tokens whose aud has the URL before.
	// +required
	URL ResourceURL `json:"url,omitempty"`

	// scopes are those that a token needs beside the one of type, all of them: scopes of the Account.
	// Default: none. At most 64.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(s, s != 'API' && !s.startsWith('account:'))",message="API and scopes that begin with account: are for console-level tokens"
	Scopes []Scope `json:"scopes,omitempty"`

	// requireAudience admits only tokens whose aud has url. Otherwise one that names no resource, whose aud is the issuer, is good
	// at every place of its account.
	// Default: false.
	// +optional
	RequireAudience bool `json:"requireAudience,omitempty"`

	// displayName is the place's name for people: resource_name of its metadata (RFC 9728 section 2).
	// Default: none. 1 to 256 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	DisplayName string `json:"displayName,omitempty"`

	// documentationURL is where developers read how to use the place: resource_documentation of its metadata (RFC 9728 section 2).
	// Default: none. An http or https URL of at most 2048 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHost() != ''",message="documentationURL must be an http or https URL"
	DocumentationURL string `json:"documentationURL,omitempty"`

	// suspend closes the place: it admits nobody, no token is issued for it, and its metadata is gone, within a second. Setting it
	// back to false opens it again.
	// Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ResourceType is what a protected resource is.
//
// +kubebuilder:validation:Enum=Webhook;MCP;API
type ResourceType string

const (
	// ResourceWebhook is an account's webhook.
	ResourceWebhook ResourceType = "Webhook"
	// ResourceMCP is an account's MCP server.
	ResourceMCP ResourceType = "MCP"
	// ResourceAPI is the platform's own API.
	ResourceAPI ResourceType = "API"
)

// ResourceURL is a resource identifier (RFC 8707 section 2): an absolute https URL, or an http one on loopback, of at most 2048
// characters, without user and fragment.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:Pattern=`^https?://[A-Za-z0-9.:_\[\]-]+([/?]([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$`
// +kubebuilder:validation:XValidation:rule="isURL(self) && size(url(self).getHostname()) > 0",message="must be an absolute URL, such as https://mcp.example.com/mcp"
// +kubebuilder:validation:XValidation:rule="!self.startsWith('http:') || self.matches('^http://(localhost|127([.][0-9]{1,3}){3}|\\\\[::1\\\\])([:/?]|$)')",message="must be https unless it is on loopback"
type ResourceURL string

// ProtectedResourceStatus is what the manager last saw, and what gateways and validators are configured with.
//
// +kubebuilder:validation:MinProperties=1
type ProtectedResourceStatus struct {
	// observedGeneration is the metadata.generation that the conditions speak of; -1 until the manager has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// callers is how many ClientCredentials may call the place now: the rules allow them, they have the scopes, and their
	// spec.resources does not leave it out. It follows changes by a few seconds. 0 while the place itself is not allowed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Callers *int32 `json:"callers,omitempty"`

	// verifyQuery is the query of /verify that guards the place, "resource=<namespace>/<name>".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	VerifyQuery string `json:"verifyQuery,omitempty"`

	// metadataURL is where the place's metadata is (RFC 9728 section 3). The challenges of /verify name it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	MetadataURL string `json:"metadataURL,omitempty"`

	// scope is what a token needs, separated by blanks (RFC 6749 section 3.3).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8704
	Scope string `json:"scope,omitempty"`

	// audiences are the values of which a token has one in aud, for validators that work offline: the URL and, unless
	// spec.requireAudience is set, the issuer.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Audiences []string `json:"audiences,omitempty"`

	// conditions are Ready and Allowed; Reconciling or Stalled while there is reason for it.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ProtectedResource is one place that tokens guard: an account's webhook or MCP server, or the platform's API (RFC 8707, RFC 9728).
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=clvpr,categories=claviger
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Callers",type=integer,JSONPath=`.status.callers`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Scope",type=string,priority=1,JSONPath=`.status.scope`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ProtectedResource struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata. Gateways name the place by namespace and name.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the platform team wants.
	// +required
	Spec ProtectedResourceSpec `json:"spec,omitzero"`

	// status is what the manager found.
	// +optional
	// +default={"observedGeneration":-1}
	Status ProtectedResourceStatus `json:"status,omitzero"`
}

// ProtectedResourceList is a list of ProtectedResources.
//
// +kubebuilder:object:root=true
type ProtectedResourceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ProtectedResource `json:"items"`
}
