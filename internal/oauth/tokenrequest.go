// SPDX-License-Identifier: Apache-2.0

package oauth

import "slices"

// GrantClientCredentials is the one grant of the token endpoint (RFC 6749 section 4.4).
const GrantClientCredentials = "client_credentials"

// maxResources bounds how many resource and audience parameters one request may have.
const maxResources = 16

// TokenRequest is a well-formed request to the token endpoint. Nothing in it is verified.
type TokenRequest struct {
	Client ClientAuthentication
	// Scopes that are asked for. Empty: all that the client has.
	Scopes Scopes
	// Resources that the token shall be for (RFC 8707 section 2), from resource and its alias audience.
	Resources []string
}

// ParseTokenRequest judges the form of a token request, in this order: no query string, a well-formed body, one grant type
// which is client_credentials, one way of client authentication, well-formed scopes. Unknown parameters are ignored (RFC 6749
// section 3.2).
// It fails with invalid_request, unsupported_grant_type, invalid_client, invalid_scope or invalid_target.
func ParseTokenRequest(raw RawRequest) (TokenRequest, error) {
	body, err := raw.form()
	if err != nil {
		return TokenRequest{}, err
	}
	switch body.get("grant_type") {
	case GrantClientCredentials:
	case "":
		return TokenRequest{}, InvalidRequest("grant_type is missing")
	default:
		return TokenRequest{}, UnsupportedGrantType()
	}
	client, err := raw.client(body, PathToken)
	if err != nil {
		return TokenRequest{}, err
	}
	scopes, err := ParseScopes(body.get("scope"))
	if err != nil {
		return TokenRequest{}, err
	}
	resources := slices.Concat(body["resource"], body["audience"])
	if len(resources) > maxResources {
		return TokenRequest{}, InvalidTarget("more than %d resources", maxResources)
	}
	return TokenRequest{Client: client, Scopes: scopes, Resources: resources}, nil
}
