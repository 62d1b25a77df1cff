// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountSpec says what an account's credentials may do, and from where.
//
// +kubebuilder:validation:XValidation:rule="!has(self.defaultTokenExpiryMinutes) || !has(self.maxTokenExpiryMinutes) || self.defaultTokenExpiryMinutes <= self.maxTokenExpiryMinutes",message="defaultTokenExpiryMinutes must not be more than maxTokenExpiryMinutes"
type AccountSpec struct {
	// displayName is the account's name for people. It has no effect on credentials or tokens.
	// Default: none. 1 to 256 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	DisplayName string `json:"displayName,omitempty"`

	// namespaces says which namespaces may hold credentials of this account: those named, and those selected.
	// Default: none. Taking a namespace away kills the tokens of its credentials at once.
	// +optional
	Namespaces AccountNamespaces `json:"namespaces,omitzero"`

	// scopes are the scopes that this account adds to the built-in Webhook and MCP.
	// Default: none. At most 64. Taking one away makes the credentials that ask for it not Ready and kills their tokens.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(s, !(s in ['Webhook', 'MCP', 'API']))",message="Webhook, MCP and API are built in; list only the account's own scopes"
	// +kubebuilder:validation:XValidation:rule="self.all(s, !s.startsWith('account:'))",message="scopes that begin with account: restrict console-level tokens and cannot be added"
	Scopes []Scope `json:"scopes,omitempty"`

	// users are those who may sign in to connect the account to an application, by the names that the host's backend calls them.
	// Default: any name. At most 256. Taking one away ends sign-ins of that user that have not begun.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	Users []UserName `json:"users,omitempty"`

	// allowedOrigins are origins that a sign-in may end at: where the browser goes, or the window that is told. Beside those of the
	// Connector.
	// Default: none. At most 16.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	AllowedOrigins []Origin `json:"allowedOrigins,omitempty"`

	// signInCompletion is the least that a sign-in for this account asks for, whatever completion of an AccountConnector says: Confirm
	// has the host's backend confirm each of them.
	// Default: Immediate. A change applies to sign-ins that end after it.
	// +optional
	SignInCompletion SignInCompletion `json:"signInCompletion,omitempty"`

	// defaultTokenExpiryMinutes is the lifetime of a token, in minutes, where the credential names none. 1 to 525600 (a year).
	// Default: 20160 (14 days). A change applies to the next token.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=525600
	DefaultTokenExpiryMinutes int32 `json:"defaultTokenExpiryMinutes,omitempty"`

	// maxTokenExpiryMinutes bounds the lifetime of a token, in minutes: a credential that asks for more gets this much.
	// 1 to 525600 (a year). Default: only the operator's own maximum. A change applies to the next token; revokeTokensBefore
	// of a credential ends those that are out already.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=525600
	MaxTokenExpiryMinutes int32 `json:"maxTokenExpiryMinutes,omitempty"`

	// suspend refuses every token request and every token of this account's credentials, and every token restricted to
	// this account, within a second. Nothing is deleted: setting it back to false makes unexpired tokens work again.
	// Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// UserName is what the host's backend calls a user: an address, a login or an ID. 1 to 256 characters, no control characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^[^\x00-\x1F\x7F]+$`
type UserName string

// AccountNamespaces is a union: a namespace belongs to it if it is named or selected.
type AccountNamespaces struct {
	// names lists namespaces by name. Default: none. At most 256.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Names []string `json:"names,omitempty"`

	// selector selects namespaces by their labels. An empty selector selects every namespace.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// AccountStatus is what the manager last saw of an Account.
//
// +kubebuilder:validation:MinProperties=1
type AccountStatus struct {
	// observedGeneration is the metadata.generation that the conditions speak of; -1 until the manager has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready, and Stalled where a human must act.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Account is one customer or tenant of the platform. Its name is the account ID that tokens carry.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=clvacc,categories=claviger
// +kubebuilder:printcolumn:name="Display name",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Namespaces",type=string,priority=1,JSONPath=`.spec.namespaces.names`
// +kubebuilder:printcolumn:name="Scopes",type=string,priority=1,JSONPath=`.spec.scopes`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Account struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata. Its name is the account ID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the platform team wants.
	// +optional
	Spec AccountSpec `json:"spec,omitzero"`

	// status is what the manager found.
	// +optional
	// +default={"observedGeneration":-1}
	Status AccountStatus `json:"status,omitzero"`
}

// AccountList is a list of Accounts.
//
// +kubebuilder:object:root=true
type AccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Account `json:"items"`
}
