// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClientCredentialSpec says which client there shall be, and what its tokens may do.
//
// +kubebuilder:validation:XValidation:rule="has(self.accountRef) || self.scopes.all(s, s == 'API')",message="without accountRef the credential is console-level: its only scope is API"
// +kubebuilder:validation:XValidation:rule="has(self.clientID) == has(oldSelf.clientID) && (!has(self.clientID) || self.clientID == oldSelf.clientID)",message="clientID cannot be changed, added or taken away; create another ClientCredential"
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || !has(self.rotation) || (!has(self.rotation.interval) && !has(self.rotation.trigger))",message="with secretRef you rotate by editing that Secret: rotation may have overlap and revokeTokens only"
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || !has(self.secretTemplate) || !has(self.secretTemplate.name) || self.secretTemplate.name != self.secretRef.name",message="secretTemplate.name must not be the Secret of secretRef, which stays yours"
// +kubebuilder:validation:XValidation:rule="!has(self.accessToken) || !has(self.accessToken.secretName) || !has(self.secretTemplate) || !has(self.secretTemplate.name) || self.accessToken.secretName != self.secretTemplate.name",message="accessToken.secretName and secretTemplate.name must differ"
// +kubebuilder:validation:XValidation:rule="!has(self.accessToken) || !has(self.accessToken.scopes) || self.accessToken.scopes.all(s, s in self.scopes)",message="accessToken.scopes must be some of scopes"
// +kubebuilder:validation:XValidation:rule="!has(self.accessToken) || !has(self.accessToken.secretName) || !has(self.secretRef) || self.accessToken.secretName != self.secretRef.name",message="accessToken.secretName must not be the Secret of secretRef, which stays yours"
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

	// resources are the URLs of the ProtectedResources that the credential's tokens are for (RFC 8707), and they are good nowhere
	// else. A token request that names no resource gets a token for all of them that there are and that may be used.
	// Default: none; a token may be for any of the account's (of a console-level credential: any of type API), and one that names
	// no resource is good at each that does not require its own audience. At most 16. What a change takes away is refused at once,
	// to tokens issued before too.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Resources []ResourceURL `json:"resources,omitempty"`

	// tokenExpiryMinutes is the lifetime of a token, in minutes, from 1 to 525600 (a year). What it comes to under the maximum
	// of the Account and that of the operator is status.tokenExpiryMinutes.
	// Default: the Account's defaultTokenExpiryMinutes, else 20160 (14 days). A change applies to the next token.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=525600
	TokenExpiryMinutes int32 `json:"tokenExpiryMinutes,omitempty"`

	// suspend refuses every token request and every token of this credential within a second. Nothing is deleted:
	// setting it back to false makes the secret and unexpired tokens work again.
	// Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// revokeTokensBefore kills every token of this credential that was issued before that time, within a second; the secret
	// goes on working. A time that is still to come kills new tokens too, until it has come.
	// Default: none. Taking it away makes unexpired tokens work again.
	// +optional
	RevokeTokensBefore *metav1.Time `json:"revokeTokensBefore,omitempty"`

	// clientID is the OAuth client ID, where it shall not be "<namespace>.<name>": 1 to 253 letters, digits and ._~- that begin
	// with a letter or digit. It cannot be changed. Where two objects claim one client ID, one in the namespace that the ID
	// begins with has it, else the older; the other says so.
	// Default: with secretRef, what that Secret holds; else "<namespace>.<name>".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._~-]*$`
	ClientID string `json:"clientID,omitempty"`

	// secretRef brings your own client ID and secret instead of generated ones. Claviger reads the Secret and never writes it.
	// An edit of the secret is a rotation: the old one works for rotation.overlap.
	// Default: none; a secret is generated. Taking it away generates one, which is a rotation too.
	// +optional
	SecretRef *ClientSecretReference `json:"secretRef,omitempty"`

	// rotation says when the client secret is replaced, and how long the old one works.
	// Default: no schedule; the annotation claviger.dev/rotate and a change of the Secret still replace it.
	// +optional
	Rotation *Rotation `json:"rotation,omitempty"`

	// jwks is a JWK Set (RFC 7517) of public keys, as JSON: with their private halves the client may authenticate by private_key_jwt
	// (RFC 7523) instead of its secret. EC keys on P-256 and P-384, Ed25519, and RSA of 2048 to 4096 bits. A private or symmetric
	// key is refused. What is wrong with a key is in condition KeysValid, and stops neither the other keys nor the secret.
	// Default: none. 1 to 16384 characters; at most 4 keys together with publicKeys. A key that is taken away no longer
	// authenticates, at once.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16384
	// +kubebuilder:validation:XValidation:rule="!self.matches('\"(d|k|p|q|dp|dq|qi|oth|priv)\"[ \\\\t\\\\r\\\\n]*:')",message="jwks is for public keys: this one holds a private or symmetric key, so make another"
	JWKS string `json:"jwks,omitempty"`

	// publicKeys are public keys as PEM (PUBLIC KEY, RFC 7468 section 13), one each, for the same purpose as jwks and of the same
	// types. They have no kid, so they are tried for an assertion that names none of the kids in jwks.
	// Default: none. At most 4.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	PublicKeys []PublicKey `json:"publicKeys,omitempty"`

	// serviceAccounts names the ServiceAccounts of the object's own namespace that may authenticate as this client, with their
	// token as client_assertion instead of a secret. The token's audience must be the issuer.
	// Default: none. At most 16. One that is taken away no longer authenticates, at once.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	ServiceAccounts []ServiceAccountName `json:"serviceAccounts,omitempty"`

	// secretTemplate says what the Secret is called and looks like. With secretRef, a Secret is published only if this is
	// there. A change is followed at once and keeps the client secret.
	// Default: a Secret of the object's own name, with the default keys.
	// +optional
	SecretTemplate *SecretTemplate `json:"secretTemplate,omitempty"`

	// accessToken delivers a live token in a Secret of its own, for workloads that cannot take one themselves. It is
	// replaced at two thirds of its life.
	// Default: none. Taking it away deletes that Secret after the overlap.
	// +optional
	AccessToken *AccessTokenDelivery `json:"accessToken,omitempty"`

	// deletionPolicy says what becomes of the Secret when this object is deleted. The client is dead in either case. Retain
	// leaves the Secret and says so on it, and a ClientCredential of the same name takes it up again with its secret.
	// Default: Delete.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// DeletionPolicy says what becomes of a Secret when its ClientCredential is deleted.
//
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

const (
	// DeletionDelete deletes the Secret.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionRetain leaves the Secret, with an annotation that says so.
	DeletionRetain DeletionPolicy = "Retain"
)

// Rotation says when a client secret is replaced.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || duration(self.interval) >= (has(self.overlap) ? duration(self.overlap) : duration('24h'))",message="interval must not be shorter than overlap (24h where it is left out): secrets would pile up"
type Rotation struct {
	// interval is how long a client secret is in use before it is replaced, from 1m to 87600h (ten years), as a Go duration.
	// Default: none; it is not replaced by the clock. A change applies from the time the current secret was made.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('87600h')",message="interval must be from 1m to 87600h"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// overlap is how long a secret that has been replaced goes on working, from 0s to 8760h (a year), as a Go duration.
	// Default: 24h. Shortening it also shortens what is left of an overlap under way; 0s ends it.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="overlap must be from 0s to 8760h"
	Overlap *metav1.Duration `json:"overlap,omitempty"`

	// trigger replaces the secret when it changes. What it says does not matter: a date, a version, a ticket. 1 to 256 characters.
	// Default: none. status.rotation.trigger is the one that the current secret was made for.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Trigger string `json:"trigger,omitempty"`

	// revokeTokens makes tokens die with the secret that they were taken with: at the end of its overlap.
	// Default: false; they live until they expire.
	// +optional
	RevokeTokens bool `json:"revokeTokens,omitempty"`
}

// ClientSecretReference names a Secret with a client ID and secret in the object's own namespace.
//
// +kubebuilder:validation:XValidation:rule="self.clientIDKey != self.clientSecretKey",message="clientIDKey and clientSecretKey must differ: a client ID is public"
type ClientSecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`

	// clientIDKey is the key that holds the client ID. Where spec.clientID is set the Secret need not have it.
	// Default: client_id.
	// +optional
	// +default="client_id"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	ClientIDKey string `json:"clientIDKey,omitempty"`

	// clientSecretKey is the key that holds the client secret: 16 to 1024 printable ASCII characters (RFC 6749 appendix A.2).
	// Default: client_secret.
	// +optional
	// +default="client_secret"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	ClientSecretKey string `json:"clientSecretKey,omitempty"`
}

// SecretTemplate says what the Secret is called and looks like.
//
// +kubebuilder:validation:MinProperties=1
type SecretTemplate struct {
	// name of the Secret. A change publishes the same client secret under the new name and deletes the Secret of the old name
	// after rotation.overlap.
	// Default: the object's own name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`

	// labels of the Secret, beside those of Claviger. Those under claviger.dev/ are Claviger's. At most 64.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('claviger.dev/'))",message="labels under claviger.dev/ are Claviger's own"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations of the Secret, beside those of Claviger. Those under claviger.dev/ are Claviger's. At most 64.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('claviger.dev/'))",message="annotations under claviger.dev/ are Claviger's own"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// type of the Secret. A change replaces the Secret: Kubernetes lets no Secret change its type.
	// Default: servicebinding.io/oauth2.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!(self in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])",message="Secrets of this type are credentials of the cluster itself"
	Type string `json:"type,omitempty"`

	// keys renames default keys: from client_id, client_secret, issuer, token_url, scope, account, ca.crt, type or provider to
	// the name the consumer wants.
	// Default: none is renamed.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['client_id', 'client_secret', 'issuer', 'token_url', 'scope', 'account', 'ca.crt', 'type', 'provider'])",message="keys renames client_id, client_secret, issuer, token_url, scope, account, ca.crt, type and provider; others do not exist"
	Keys map[string]SecretKey `json:"keys,omitempty"`

	// data adds keys whose values are templates: text with {{ .ClientID }}, {{ .ClientSecret }}, {{ .Issuer }}, {{ .TokenURL }},
	// {{ .Scope }}, {{ .Account }} and {{ .CACert }}, and {{ if .Account }} ... {{ else }} ... {{ end }}. There are no functions,
	// loops or variables. At most 32 keys.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[-._a-zA-Z0-9]{1,253}$'))",message="a key of a Secret has 1 to 253 letters, digits and ._-"
	Data map[string]ValueTemplate `json:"data,omitempty"`
}

// PublicKey is a public key as PEM.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:XValidation:rule="!self.contains('PRIVATE KEY')",message="publicKeys is for public keys: this is a private one, so make another"
// +kubebuilder:validation:XValidation:rule="self.contains('-----BEGIN PUBLIC KEY-----')",message="a public key is PEM of type PUBLIC KEY"
type PublicKey string

// ServiceAccountName is the name of a ServiceAccount.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
type ServiceAccountName string

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// AnnotationValue is the value of an annotation.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// SecretKey is a key of a Secret.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
type SecretKey string

// ValueTemplate is the template of one value of a Secret.
//
// +kubebuilder:validation:MaxLength=8192
type ValueTemplate string

// AccessTokenDelivery says where a live token is delivered. The Secret holds access_token, token_type, expires_at (RFC 3339),
// issuer, scope, and type and provider for Service Binding.
type AccessTokenDelivery struct {
	// secretName names the Secret. A change deletes the Secret of the old name after rotation.overlap.
	// Default: the object's own name and "-token".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	SecretName string `json:"secretName,omitempty"`

	// scopes of the token, some of the credential's.
	// Default: all of them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Scopes []Scope `json:"scopes,omitempty"`
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

	// clientID is the OAuth client ID. Once it is here it stays, whatever the spec or a Secret says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	ClientID string `json:"clientID,omitempty"`

	// binding names the Secret that holds the client ID and secret (Service Binding specification, "Provisioned Service").
	// +optional
	Binding *SecretBinding `json:"binding,omitempty"`

	// accessToken names the Secret that holds a live token, and says how long that one lives.
	// +optional
	AccessToken *AccessTokenStatus `json:"accessToken,omitempty"`

	// tokenExpiryMinutes is the lifetime of the next token, in minutes, after the default and the maximum of the Account and the
	// maximum of the operator.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TokenExpiryMinutes int32 `json:"tokenExpiryMinutes,omitempty"`

	// rotation says when the client secret was made and when the next one will be.
	// +optional
	Rotation *RotationStatus `json:"rotation,omitempty"`

	// verifiers are what the token service checks a client secret against. None of them reveals a secret.
	// +optional
	// +listType=map
	// +listMapKey=digest
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
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

// AccessTokenStatus speaks of the Secret that holds a live token.
type AccessTokenStatus struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// expiresAt is when the token in the Secret expires. It is replaced at two thirds of its life.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
}

// RotationStatus speaks of the current client secret.
//
// +kubebuilder:validation:MinProperties=1
type RotationStatus struct {
	// lastRotationTime is when the current client secret was made, or, with secretRef, first seen.
	// +optional
	LastRotationTime *metav1.Time `json:"lastRotationTime,omitempty"`

	// nextRotationTime is when it will be replaced. Empty: there is no spec.rotation.interval.
	// +optional
	NextRotationTime *metav1.Time `json:"nextRotationTime,omitempty"`

	// trigger is the spec.rotation.trigger that the current secret was made for.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Trigger string `json:"trigger,omitempty"`

	// request is the value of the annotation claviger.dev/rotate that the current secret was made for or, of one longer than 256
	// bytes, "sha256:" and its hash.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Request string `json:"request,omitempty"`
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
// +kubebuilder:printcolumn:name="Token minutes",type=integer,JSONPath=`.status.tokenExpiryMinutes`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.binding.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Next rotation",type=string,JSONPath=`.status.rotation.nextRotationTime`
// +kubebuilder:printcolumn:name="Last rotation",type=date,priority=1,JSONPath=`.status.rotation.lastRotationTime`
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
