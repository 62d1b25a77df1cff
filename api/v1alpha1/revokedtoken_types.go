// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RevokedTokenSpec names one token. It cannot be changed.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a RevokedToken cannot be changed; delete it, and revoke the right token"
type RevokedTokenSpec struct {
	// tokenID is the token's jti (RFC 7519 section 4.1.7). The token itself is stored nowhere. 1 to 256 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	TokenID string `json:"tokenID,omitempty"`

	// expiresAt is when the token would have expired anyway. The manager deletes this object shortly after.
	// +required
	ExpiresAt metav1.Time `json:"expiresAt,omitzero"` //nolint:kubeapilinter // requiredfields: a time is a string in the schema, not an object that could be empty

	// clientID is the client that the token was issued to. The token is refused with or without it; where the token is one that
	// spec.accessToken of a ClientCredential delivers, the manager replaces that at once if this is here.
	// Default: none. At most 317 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	ClientID string `json:"clientID,omitempty"`

	// reason says for people why the token was revoked. It has no effect.
	// Default: none. 1 to 256 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`
}

// RevokedToken is one access token that is refused although it has not expired. It counts only in the operator's own namespace,
// and has no status: that it exists is all there is to it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=clvrt,categories=claviger
// +kubebuilder:printcolumn:name="Client ID",type=string,JSONPath=`.spec.clientID`
// +kubebuilder:printcolumn:name="Token ID",type=string,JSONPath=`.spec.tokenID`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type RevokedToken struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata. The name says nothing; the token service makes it from the token ID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec names the token.
	// +required
	Spec RevokedTokenSpec `json:"spec,omitzero"`
}

// RevokedTokenList is a list of RevokedTokens.
//
// +kubebuilder:object:root=true
type RevokedTokenList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RevokedToken `json:"items"`
}
