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
	// PurposeAccessToken marks the Secret that holds a live token.
	PurposeAccessToken = "access-token"
	// PurposePepper marks the key that client secrets are digested with.
	PurposePepper = "pepper"
	// PurposeSigningKeys marks the keys that tokens are signed with.
	PurposeSigningKeys = "signing-keys"
	// PurposeAuthority marks the certificate authority that signs the token service's certificate.
	PurposeAuthority = "certificate-authority"
	// PurposeConnection marks the Secret that keeps the record of a connection, in the connections namespace.
	PurposeConnection = "connection"
	// PurposeConnectionToken marks the Secret that holds the access token of a connection.
	PurposeConnectionToken = "connection-token"
	// PurposeSignIn marks the Secret of a sign-in token or of a sign-in under way, in the connections namespace.
	PurposeSignIn = "sign-in"
	// PurposeServing marks the certificate that the token service serves.
	PurposeServing = "serving-certificate"
)

// Secrets in the operator's namespace.
const (
	// PepperSecretName names the Secret that holds the pepper.
	PepperSecretName = "claviger-pepper"
	// SigningKeysSecretName names the Secret that holds the signing keys.
	SigningKeysSecretName = "claviger-signing-keys"
	// AuthoritySecretName names the Secret that holds the certificate authority. Only the manager reads it.
	AuthoritySecretName = "claviger-ca" //nolint:gosec // G101: a name, not a credential
	// ServingSecretName names the Secret, of type kubernetes.io/tls, with the certificate that the token service serves.
	ServingSecretName = "claviger-token-service-tls" //nolint:gosec // G101: a name, not a credential
)

// TokenServiceName names the Service of the token service, in the operator's namespace.
const TokenServiceName = "claviger-token-service" //nolint:gosec // G101: a name, not a credential

// ReservedSecretName reports whether a Secret of this name, in the operator's namespace, is one of the operator's own.
func ReservedSecretName(name string) bool {
	switch name {
	case PepperSecretName, SigningKeysSecretName, AuthoritySecretName, ServingSecretName:
		return true
	default:
		return false
	}
}

// Annotations.
const (
	// AnnotationRotate on a ClientCredential replaces its client secret, and on the signing-keys Secret the signing key,
	// whenever its value changes. On the Secret of a ClientCredential it is the value that the secret was made for.
	AnnotationRotate = "claviger.dev/rotate"
	// AnnotationRemoveKey on the signing-keys Secret names a key ID to remove at once: tokens signed with it are dead.
	AnnotationRemoveKey = "claviger.dev/remove-key"
	// AnnotationTrigger is the spec.rotation.trigger that the client secret in the Secret was made for.
	AnnotationTrigger = "claviger.dev/rotation-trigger"
	// AnnotationIssuedAt is when the client secret in the Secret was made, RFC 3339.
	AnnotationIssuedAt = "claviger.dev/issued-at"
	// AnnotationChecksum changes with the data of the Secret, for pods that shall be rolled then.
	AnnotationChecksum = "claviger.dev/checksum"
	// AnnotationOwner is the owner's kind, name and UID and the Secret's own name, "<kind>/<name>/<uid>/<secret>". It stands in for the owner
	// reference where that was lost, or must not be because the Secret shall outlive its owner, and tells a copy from the Secret.
	AnnotationOwner = "claviger.dev/owner"
	// AnnotationApplied lists the labels and annotations that came from spec.secretTemplate, so that they can be taken away.
	AnnotationApplied = "claviger.dev/applied"
	// AnnotationRemoveAfter is when a Secret of an old name is deleted, RFC 3339.
	AnnotationRemoveAfter = "claviger.dev/remove-after"
	// AnnotationConnection on the Secret of a connection names its AccountConnector, "<namespace>/<name>".
	AnnotationConnection = "claviger.dev/connection"
	// AnnotationConnector on the Secret of a connection names its Connector.
	AnnotationConnector = "claviger.dev/connector"
	// AnnotationExpiresAt on the Secret of a sign-in is when it is deleted, RFC 3339.
	AnnotationExpiresAt = "claviger.dev/expires-at"
	// AnnotationRetained says that the Secret has outlived its ClientCredential, since when, and that its secret is dead.
	AnnotationRetained = "claviger.dev/retained"
)

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
	// SecretKeyCACert holds the PEM certificates that verify the issuer. Only where its authority is not the world's.
	SecretKeyCACert = "ca.crt"
	// SecretKeyType is the Service Binding specification's "type".
	SecretKeyType = "type"
	// SecretKeyProvider is the Service Binding specification's "provider".
	SecretKeyProvider = "provider"
)

// Keys of the Secret that holds a live token, beside SecretKeyIssuer, SecretKeyScope, SecretKeyType and SecretKeyProvider.
const (
	// SecretKeyAccessToken holds the token.
	SecretKeyAccessToken = "access_token"
	// SecretKeyTokenType holds "bearer" (RFC 6750).
	SecretKeyTokenType = "token_type"
	// SecretKeyExpiresAt holds the time the token expires, RFC 3339.
	SecretKeyExpiresAt = "expires_at"
)

// Keys of the Secret of a connection, in the connections namespace.
const (
	// SecretKeyRecord holds the record.
	SecretKeyRecord = "record"
	// SecretKeyProperties holds the properties of the AccountConnector with their values, for those who may not read where these are.
	SecretKeyProperties = "properties"
	// SecretKeyPending holds tokens of a sign-in that is not confirmed yet.
	SecretKeyPending = "pending"
)

// SecretKeySignIn holds a sign-in, in its Secret in the connections namespace.
const SecretKeySignIn = "sign-in"

// ConnectName names the Service of the connect role, in the operator's namespace.
const ConnectName = "claviger-connect"

const (
	// BindingType is the value under SecretKeyType.
	BindingType = "oauth2"
	// SecretTypeBinding is the Secret's own type, as the Service Binding specification asks.
	SecretTypeBinding = "servicebinding.io/" + BindingType
)
