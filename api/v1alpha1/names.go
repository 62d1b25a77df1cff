// SPDX-License-Identifier: Apache-2.0

package v1alpha1

const (
	// LabelSecret is on every Secret that Claviger makes and says what the Secret is for (the Purpose constants).
	// The manager watches only Secrets that carry it.
	LabelSecret = "claviger.dev/secret" //nolint:gosec // G101: a label, not a credential
	// LabelManagedBy is the recommended Kubernetes label for the tool that manages an object.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is Claviger's value of LabelManagedBy and of SecretKeyProvider.
	ManagedBy = "claviger"
)

// Values of LabelSecret.
const (
	// PurposeClientCredential marks the Secret that a workload mounts.
	PurposeClientCredential = "client-credential"
	// PurposePepper marks the key that client secrets are digested with.
	PurposePepper = "pepper"
	// PurposeSigningKeys marks the keys that tokens are signed with.
	PurposeSigningKeys = "signing-keys"
)

// Secrets in the operator's namespace.
const (
	// PepperSecretName names the Secret that holds the pepper.
	PepperSecretName = "claviger-pepper"
	// SigningKeysSecretName names the Secret that holds the signing keys.
	SigningKeysSecretName = "claviger-signing-keys"
)

// ReservedSecretName reports whether a Secret of this name, in the operator's namespace, is one of the operator's own.
func ReservedSecretName(name string) bool {
	return name == PepperSecretName || name == SigningKeysSecretName
}

// Keys of the Secret that a ClientCredential publishes.
const (
	// SecretKeyClientID holds the client ID.
	SecretKeyClientID = "client_id"
	// SecretKeyClientSecret holds the client secret.
	SecretKeyClientSecret = "client_secret"
	// SecretKeyIssuer holds the issuer identifier (RFC 8414 section 2), a URL.
	SecretKeyIssuer = "issuer"
	// SecretKeyTokenURL holds the URL of the token endpoint.
	SecretKeyTokenURL = "token_url"
	// SecretKeyScope holds the credential's scopes, separated by blanks (RFC 6749 section 3.3).
	SecretKeyScope = "scope"
	// SecretKeyAccount holds the account ID. Console-level credentials have no such key.
	SecretKeyAccount = "account"
	// SecretKeyType is the Service Binding specification's "type".
	SecretKeyType = "type"
	// SecretKeyProvider is the Service Binding specification's "provider".
	SecretKeyProvider = "provider"
)

const (
	// BindingType is the value under SecretKeyType.
	BindingType = "oauth2"
	// SecretTypeBinding is the Secret's own type, as the Service Binding specification asks.
	SecretTypeBinding = "servicebinding.io/" + BindingType
)
