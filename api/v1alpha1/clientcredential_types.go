// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClientCredentialSpec says which client there shall be, and what its tokens may do.
//
// +kubebuilder:validation:XValidation:rule="has(self.accountRef) || self.scopes.all(s, s == 'API')",message="without accountRef the credential is console-level: its only scope is API"
// +kubebuilder:validation:XValidation:rule="!has(self.accountRef) || !self.scopes.exists(s, s == 'API')",message="scope API is for console-level credentials, which have no accountRef"
type ClientCredentialSpec struct {
	// description says for people what the credential is for. It has no effect.
	// Default: none. 1 to 1024 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`

	// accountRef names the Account this credential belongs to. Left out, the credential is console-level: its scope is
	// API, and only the namespaces that the operator is configured for may hold it.
	// Default: none. A change kills the tokens issued before it.
	// +optional
	AccountRef *AccountReference `json:"accountRef,omitempty"`

	// scopes are what the credential's tokens may do: API for a console-level credential; Webhook, MCP or scopes of the
	// Account for an account-level one. At least 1, at most 64.
	// A scope that is taken away is refused at once, in tokens issued before too.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(s, !s.startsWith('account:'))",message="scopes that begin with account: are asked for at the token endpoint, not granted here"
	Scopes []Scope `json:"scopes,omitempty"`

	// tokenExpiryMinutes is the lifetime of a token, in minutes, from 1 to 525600 (a year).
	// Default: 20160 (14 days). A change applies to the next token.
	// +optional
	// +default=20160
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=525600
	TokenExpiryMinutes int32 `json:"tokenExpiryMinutes,omitempty"`

	// suspend refuses every token request and every token of this credential within a second. Nothing is deleted:
	// setting it back to false makes the secret and unexpired tokens work again.
	// Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// AccountReference names an Account.
type AccountReference struct {
	// name is the Account's name, which is the account ID.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`
}

// ClientCredentialStatus is what the manager last saw and did. It can be rebuilt from the Secret at any
// time; what is lost then is the rest of an overlap.
//
// +kubebuilder:validation:MinProperties=1
type ClientCredentialStatus struct {
	// observedGeneration is the metadata.generation that the conditions speak of; -1 until the manager has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// clientID is the OAuth client ID: "<namespace>.<name>".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	ClientID string `json:"clientID,omitempty"`

	// binding names the Secret (Service Binding specification, "Provisioned Service").
	// +optional
	Binding *SecretBinding `json:"binding,omitempty"`

	// verifiers are what the token service checks a client secret against. None of them reveals a secret.
	// +optional
	// +listType=map
	// +listMapKey=digest
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Verifiers []SecretVerifier `json:"verifiers,omitempty"`

	// conditions are Ready, Allowed and SecretPublished; Reconciling or Stalled while there is reason for it.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SecretBinding names a Secret in the object's own namespace.
type SecretBinding struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// SecretVerifier verifies one client secret.
type SecretVerifier struct {
	// digest is base64url(HMAC-SHA-256(pepper, UID, client ID, client secret)), 43 characters.
	// +required
	// +kubebuilder:validation:MinLength=43
	// +kubebuilder:validation:MaxLength=43
	Digest string `json:"digest,omitempty"`

	// pepperID tells which pepper the digest was made with; a digest of another pepper verifies nothing.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PepperID string `json:"pepperID,omitempty"`

	// publishedAt is when the Secret was seen to hold the secret. Empty: it was only prepared, and may never be given out.
	// +optional
	PublishedAt *metav1.Time `json:"publishedAt,omitempty"`

	// expiresAt is when a secret that has been replaced stops working. Empty: it is the current one, or its successor is
	// not published yet.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// ClientCredential is one OAuth 2.0 client: a client ID and secret in a Secret that a workload mounts and trades for
// tokens (RFC 6749 section 4.4).
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=clvcc,categories=claviger
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="Scopes",type=string,JSONPath=`.spec.scopes`
// +kubebuilder:printcolumn:name="Token minutes",type=integer,JSONPath=`.spec.tokenExpiryMinutes`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.binding.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Client ID",type=string,priority=1,JSONPath=`.status.clientID`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClientCredential struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata. Namespace and name make the client ID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the platform team wants.
	// +required
	Spec ClientCredentialSpec `json:"spec,omitzero"`

	// status is what the manager found and did.
	// +optional
	// +default={"observedGeneration":-1}
	Status ClientCredentialStatus `json:"status,omitzero"`
}

// ClientCredentialList is a list of ClientCredentials.
//
// +kubebuilder:object:root=true
type ClientCredentialList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClientCredential `json:"items"`
}
