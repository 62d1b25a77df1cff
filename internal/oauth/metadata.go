// SPDX-License-Identifier: Apache-2.0

package oauth

import "slices"

// Where clients look for the metadata of an authorization server: RFC 8414 section 3, and OpenID Connect Discovery 1.0
// section 4, which clients of MCP ask for too.
const (
	wellKnownOAuth  = "/.well-known/oauth-authorization-server"
	wellKnownOpenID = "/.well-known/openid-configuration"
)

// Paths, below the issuer, of the endpoints that a client authenticates at.
const (
	PathToken      = "/oauth/token" //nolint:gosec // G101: a path, not a credential
	PathRevoke     = "/oauth/revoke"
	PathIntrospect = "/oauth/introspect"
)

// Server is what an authorization server has. What it does not have is not advertised.
type Server struct {
	Issuer    IssuerURL
	Endpoints Endpoints
	// Scopes that every server of this kind knows. Those that somebody has defined are theirs, and not for everybody to read.
	Scopes Scopes
	// SigningAlgorithms that tokens may be signed with, and AssertionAlgorithms that clients may sign assertions with (RFC 7518
	// section 3.1).
	SigningAlgorithms, AssertionAlgorithms []string
}

// Endpoints are paths below the issuer. An endpoint that is not served has none.
type Endpoints struct {
	Authorize, Token, JWKS, Revoke, Introspect string
}

// Metadata is the document that describes an authorization server (RFC 8414 section 2). It is that of OpenID Connect
// Discovery 1.0 section 3 as well: clients that know only the one or the other find the members that they demand.
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string `json:"token_endpoint,omitempty"`
	JWKSURI               string `json:"jwks_uri,omitempty"`
	RevocationEndpoint    string `json:"revocation_endpoint,omitempty"`
	IntrospectionEndpoint string `json:"introspection_endpoint,omitempty"`
	ScopesSupported       Scopes `json:"scopes_supported"`
	// ResponseTypesSupported has "code", which a server must name and clients demand. No client may use it: see
	// RefuseAuthorization.
	ResponseTypesSupported []string `json:"response_types_supported"`
	GrantTypesSupported    []string `json:"grant_types_supported"`
	// One list for each endpoint that a client authenticates at. All of them accept the same methods.
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	// One list for each list of methods: with private_key_jwt, a server must say which signatures it verifies.
	TokenAuthAlgorithms         []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationAuthAlgorithms    []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	IntrospectionAuthAlgorithms []string `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`
	// CodeChallengeMethodsSupported goes with the response type: clients of MCP refuse a server that names none.
	CodeChallengeMethodsSupported []string `json:"code_challenge_methods_supported"`
	// IssParameterSupported: there is no authorization response without iss (RFC 9207 section 3), as there is none at all.
	// A client so refuses one that somebody else makes up in this server's name.
	IssParameterSupported bool `json:"authorization_response_iss_parameter_supported"`
	// SubjectTypesSupported and IDTokenAlgorithms are what OpenID Connect demands. There are no ID tokens; libraries take the
	// algorithms of access tokens from here.
	SubjectTypesSupported []string `json:"subject_types_supported"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
}

// Metadata describes the server.
func (s Server) Metadata() Metadata {
	at := func(path string) string {
		if path == "" {
			return ""
		}
		return s.Issuer.Endpoint(path)
	}
	where := func(path string, list []string) []string {
		if path == "" {
			return nil
		}
		return list
	}
	return Metadata{
		Issuer:                s.Issuer.String(),
		AuthorizationEndpoint: at(s.Endpoints.Authorize),
		TokenEndpoint:         at(s.Endpoints.Token),
		JWKSURI:               at(s.Endpoints.JWKS),
		RevocationEndpoint:    at(s.Endpoints.Revoke),
		IntrospectionEndpoint: at(s.Endpoints.Introspect),

		ScopesSupported:        s.Scopes,
		ResponseTypesSupported: []string{responseTypeCode},
		GrantTypesSupported:    []string{GrantClientCredentials},

		TokenAuthMethods:         where(s.Endpoints.Token, clientAuthMethods()),
		RevocationAuthMethods:    where(s.Endpoints.Revoke, clientAuthMethods()),
		IntrospectionAuthMethods: where(s.Endpoints.Introspect, clientAuthMethods()),

		TokenAuthAlgorithms:         where(s.Endpoints.Token, s.AssertionAlgorithms),
		RevocationAuthAlgorithms:    where(s.Endpoints.Revoke, s.AssertionAlgorithms),
		IntrospectionAuthAlgorithms: where(s.Endpoints.Introspect, s.AssertionAlgorithms),

		CodeChallengeMethodsSupported: []string{"S256"},
		IssParameterSupported:         true,
		SubjectTypesSupported:         []string{"public"},
		IDTokenAlgorithms:             s.SigningAlgorithms,
	}
}

// MetadataPaths are where the document is found. Where the issuer has a path, RFC 8414 section 3.1 puts it behind the
// well-known one and OpenID Connect before it; clients confuse the two, and some leave it out.
func (s Server) MetadataPaths() []string {
	path := s.Issuer.Path()
	paths := []string{
		wellKnownOAuth + path, wellKnownOpenID + path,
		path + wellKnownOAuth, path + wellKnownOpenID,
		wellKnownOAuth, wellKnownOpenID,
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
