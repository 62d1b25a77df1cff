// SPDX-License-Identifier: Apache-2.0

package oauth

// PathResourceMetadata is where the metadata of protected resources stands, below the origin of the issuer: "/<namespace>/<name>"
// follows (RFC 9728 section 3).
const PathResourceMetadata = "/.well-known/oauth-protected-resource"

// ResourceMetadata is the document that describes a protected resource (RFC 9728 section 2).
type ResourceMetadata struct {
	// Resource is the resource identifier. Clients compare it with the URL that they call, byte for byte (section 3.3).
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	// Scopes are those that a token needs, and no others of the authorization server.
	Scopes        Scopes   `json:"scopes_supported"`
	BearerMethods []string `json:"bearer_methods_supported"`
	Name          string   `json:"resource_name,omitempty"`
	Documentation string   `json:"resource_documentation,omitempty"`
}

// BearerMethods are the ways in which a token may be presented (RFC 6750 section 2): in the header alone.
func BearerMethods() []string { return []string{"header"} }
