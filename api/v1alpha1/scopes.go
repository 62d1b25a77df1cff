// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Scope is one OAuth 2.0 scope-token (RFC 6749 section 3.3): printable ASCII without blank, quote and backslash,
// 1 to 128 characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[\x21\x23-\x5B\x5D-\x7E]+$`
type Scope string

const (
	// ScopeWebhook lets an account-level token call its account's webhooks.
	ScopeWebhook Scope = "Webhook"
	// ScopeMCP lets an account-level token call its account's MCP servers.
	ScopeMCP Scope = "MCP"
	// ScopeAPI lets a console-level token call the platform's API.
	ScopeAPI Scope = "API"
	// ScopeAccountPrefix begins the scope that restricts a console-level token to one account: "account:{accountID}".
	// It is asked for at the token endpoint and never granted to a credential as such.
	ScopeAccountPrefix = "account:"
)
