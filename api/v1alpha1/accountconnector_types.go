// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountConnectorSpec says which application an account is connected to, and what a workload gets of it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.authValueFrom) || !has(self.secretTemplate) || !has(self.secretTemplate.name) || self.secretTemplate.name != self.authValueFrom.secretKeyRef.name",message="secretTemplate.name must not be the Secret of authValueFrom, which stays yours"
type AccountConnectorSpec struct {
	// accountRef names the Account that is connected. It cannot be changed: tokens of one account are nothing for another.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; create another AccountConnector"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// connectorRef names the Connector: the application. It cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="connectorRef cannot be changed; create another AccountConnector"
	ConnectorRef ConnectorReference `json:"connectorRef,omitzero"`

	// properties are ClientId and ClientSecret, the account's own app registration, and those that the Connector names for its
	// URLs. A change is followed at once; another ClientId needs another sign-in.
	// Default: none; the Connector's own app registration is used, where it has one. At most 16.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Properties []AccountProperty `json:"properties,omitempty"`

	// authValueFrom imports tokens that somebody else has obtained, once for each content: applying the same again never overwrites
	// tokens that were refreshed since. The JSON object {} asks for tokens by what is configured.
	// Default: none.
	// +optional
	AuthValueFrom *SecretValueSource `json:"authValueFrom,omitempty"`

	// scopes are asked for in place of the Connector's. A change takes effect with the next sign-in or, with grant
	// ClientCredentials, with the next token.
	// Default: those of the Connector. At most 64.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Scopes []ProviderScope `json:"scopes,omitempty"`

	// secretTemplate says what the output Secret is called and looks like.
	// Default: a Secret of the object's own name with access_token, token_type, expires_at, scope, account, type and provider.
	// +optional
	SecretTemplate *ConnectionSecretTemplate `json:"secretTemplate,omitempty"`

	// allowedOrigins are those, of the Account's and the Connector's, that a sign-in of this connection may end at. It adds none.
	// Default: all of them. At most 16.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	AllowedOrigins []Origin `json:"allowedOrigins,omitempty"`

	// completion says when the tokens of a sign-in are used: Immediate, at once; Confirm, when the host's backend has sent the
	// one-time code that its own page was given, so that nobody can have another's browser sign in for them.
	// Where signInCompletion of the Account is Confirm, it is Confirm.
	// Default: Immediate. A change applies to sign-ins that end after it.
	// +optional
	// +default="Immediate"
	Completion SignInCompletion `json:"completion,omitempty"`

	// suspend stops all refreshes, and takes the access token out of the output Secret. The grant is kept: setting it back to false
	// goes on with it.
	// Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// deletionPolicy says what becomes of the output Secret when this object is deleted. The grant ends in either case.
	// Default: Delete.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// SignInCompletion says when the tokens of a sign-in are used.
//
// +kubebuilder:validation:Enum=Immediate;Confirm
type SignInCompletion string

const (
	// CompletionImmediate uses them at once.
	CompletionImmediate SignInCompletion = "Immediate"
	// CompletionConfirm waits for the host's backend.
	CompletionConfirm SignInCompletion = "Confirm"
)

// ConnectorReference names a Connector.
type ConnectorReference struct {
	// name of the Connector.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
}

// AccountProperty is a property with its value, or where that is.
//
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.valueFrom)",message="set value or valueFrom, one of them"
// +kubebuilder:validation:XValidation:rule="self.name != 'ClientSecret' || !has(self.value)",message="ClientSecret must be in a Secret: use valueFrom"
type AccountProperty struct {
	// name of the property: ClientId, ClientSecret, or one that the Connector names.
	// +required
	Name PropertyName `json:"name,omitempty"`

	// value of the property. 1 to 1024 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Value string `json:"value,omitempty"`

	// valueFrom says where the value is.
	// +optional
	ValueFrom *SecretValueSource `json:"valueFrom,omitempty"`
}

// SecretValueSource is a value in a Secret of the object's own namespace.
type SecretValueSource struct {
	// secretKeyRef names the Secret and its key.
	// +required
	SecretKeyRef SecretKeyReference `json:"secretKeyRef,omitzero"`
}

// SecretKeyReference names a key of a Secret in the object's own namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`

	// key of the Secret.
	// +required
	Key SecretKey `json:"key,omitempty"`
}

// ConnectionSecretTemplate says what the output Secret is called and looks like.
//
// +kubebuilder:validation:MinProperties=1
type ConnectionSecretTemplate struct {
	// name of the Secret.
	// Default: the object's own name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`

	// labels of the Secret, beside those of Claviger. Those under claviger.dev/ are Claviger's. At most 64.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('claviger.dev/'))",message="labels under claviger.dev/ are Claviger's own"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations of the Secret, beside those of Claviger. Those under claviger.dev/ are Claviger's. At most 64.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('claviger.dev/'))",message="annotations under claviger.dev/ are Claviger's own"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// keys renames default keys: from access_token, token_type, expires_at, scope, account, type or provider to the name the
	// consumer wants.
	// Default: none is renamed.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['access_token', 'token_type', 'expires_at', 'scope', 'account', 'type', 'provider'])",message="keys renames access_token, token_type, expires_at, scope, account, type and provider; others do not exist"
	Keys map[string]SecretKey `json:"keys,omitempty"`

	// data adds keys whose values are templates: text with {{ .AccessToken }}, {{ .TokenType }}, {{ .ExpiresAt }}, {{ .Scope }},
	// {{ .Account }} and, where the Connector allows it, {{ .RefreshToken }}. At most 32 keys.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[-._a-zA-Z0-9]{1,253}$'))",message="a key of a Secret has 1 to 253 letters, digits and ._-"
	Data map[string]ValueTemplate `json:"data,omitempty"`
}

// AccountConnectorStatus is what the manager last saw.
//
// +kubebuilder:validation:MinProperties=1
type AccountConnectorStatus struct {
	// observedGeneration is the metadata.generation that the conditions speak of; -1 until the manager has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// id is the AccountConnectorID of sign-in links and of the API: "<namespace>.<name>".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	ID string `json:"id,omitempty"`

	// binding names the output Secret (Service Binding "Provisioned Service").
	// +optional
	Binding *SecretBinding `json:"binding,omitempty"`

	// expiresAt is when the access token expires. Absent: nobody knows, or there is none.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// nextRefreshAt is when it is refreshed, or looked at again. Absent: nothing asks for it, or it cannot be.
	// +optional
	NextRefreshAt *metav1.Time `json:"nextRefreshAt,omitempty"`

	// refreshExpiresAt is when the grant ends unless a user signs in again, as far as is known now: when the refresh token expires, as
	// the provider said last, or absoluteExpiry of the Connector after the sign-in, whichever is sooner. Absent: nobody knows of an end.
	// +optional
	RefreshExpiresAt *metav1.Time `json:"refreshExpiresAt,omitempty"`

	// refreshedAt is when the access token was obtained.
	// +optional
	RefreshedAt *metav1.Time `json:"refreshedAt,omitempty"`

	// authorizedAt is when the grant was given, by the last sign-in or import. Absent with grant ClientCredentials, which needs none.
	// +optional
	AuthorizedAt *metav1.Time `json:"authorizedAt,omitempty"`

	// authorizedBy is the user who signed in, as the host's backend calls them. Absent: the grant was imported, or needs nobody.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	AuthorizedBy string `json:"authorizedBy,omitempty"`

	// notified is what the operator's notification hook was told last. Absent: nothing yet.
	// +optional
	Notified *Notified `json:"notified,omitempty"`

	// scope is what the provider granted, as it says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8704
	Scope string `json:"scope,omitempty"`

	// conditions are Ready, Authorized, RefreshHealthy and SecretPublished; Reconciling or Stalled while there is reason for it.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Notified is what the notification hook was told.
type Notified struct {
	// state is Failing or Healthy.
	// +required
	// +kubebuilder:validation:Enum=Failing;Healthy
	State NotifiedState `json:"state,omitempty"`

	// reason is that of the condition that was not met, or of Ready.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`

	// at is when the hook took it.
	// +required
	At metav1.Time `json:"at,omitzero"` //nolint:kubeapilinter // requiredfields: a time is a string in the schema, not an object that could be empty
}

// NotifiedState is the health of a connection as the notification hook is told.
type NotifiedState string

const (
	// NotifiedFailing says that somebody should look.
	NotifiedFailing NotifiedState = "Failing"
	// NotifiedHealthy says that all is well again.
	NotifiedHealthy NotifiedState = "Healthy"
)

// AccountConnector is an account's connection to a third-party application: its authorization there, and the Secret with an access
// token that is always good.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=clvac,categories=claviger
// +kubebuilder:printcolumn:name="Connector",type=string,JSONPath=`.spec.connectorRef.name`
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="Authorized",type=string,JSONPath=`.status.conditions[?(@.type=="Authorized")].status`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="Next refresh",type=string,JSONPath=`.status.nextRefreshAt`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Secret",type=string,priority=1,JSONPath=`.status.binding.name`
// +kubebuilder:printcolumn:name="Scope",type=string,priority=1,JSONPath=`.status.scope`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AccountConnector struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the platform team wants.
	// +required
	Spec AccountConnectorSpec `json:"spec,omitzero"`

	// status is what the manager found.
	// +optional
	// +default={"observedGeneration":-1}
	Status AccountConnectorStatus `json:"status,omitzero"`
}

// AccountConnectorList is a list of AccountConnectors.
//
// +kubebuilder:object:root=true
type AccountConnectorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AccountConnector `json:"items"`
}
