// SPDX-License-Identifier: Apache-2.0

package oauth

import "errors"

// IntrospectionRequest is a well-formed request to the introspection endpoint (RFC 7662 section 2.1). Nothing in it is verified.
type IntrospectionRequest struct {
	// Client is who asks. With a ServiceAccount token as bearer it names no client.
	Client ClientAuthentication
	// Token is what is asked about. It need not be a token at all.
	Token string
}

// ParseIntrospectionRequest judges the form of an introspection request, in this order: no query string, a well-formed body, one
// way of client authentication, a token. token_type_hint is ignored, known or not, as section 2.1 allows: there is one type of
// token. So are unknown parameters. It fails with invalid_request, invalid_client or invalid_token.
func ParseIntrospectionRequest(raw RawRequest) (IntrospectionRequest, error) {
	client, token, err := raw.clientAndToken(RawRequest.caller)
	return IntrospectionRequest{Client: client, Token: token}, err
}

// clientAndToken reads what a request about a token consists of (RFC 7009 section 2.1, RFC 7662 section 2.1).
func (r RawRequest) clientAndToken(who func(RawRequest, form) (ClientAuthentication, error)) (ClientAuthentication, string, error) {
	body, err := r.form()
	if err != nil {
		return ClientAuthentication{}, "", err
	}
	client, err := who(r, body)
	if err != nil {
		return ClientAuthentication{}, "", err
	}
	token := body.get("token")
	if token == "" {
		return ClientAuthentication{}, "", InvalidRequest("token is missing")
	}
	return client, token, nil
}

// caller reads who asks: a client, or a ServiceAccount that brings its token as bearer (RFC 7662 section 2.1).
func (r RawRequest) caller(body form) (ClientAuthentication, error) {
	bearer, err := ParseBearer(r.Authorization)
	switch {
	case errors.Is(err, ErrNoToken), len(r.Authorization) > 1:
		return r.client(body, PathIntrospect)
	case err != nil:
		return ClientAuthentication{}, err
	case body.get("client_secret") != "" || body.get("client_assertion") != "":
		return ClientAuthentication{}, InvalidRequest("two client authentication methods: use one of the Authorization header, client_secret and client_assertion")
	}
	return ClientAuthentication{
		Source: r.Source, Endpoint: PathIntrospect, Method: MethodServiceAccountToken, Assertion: Assertion{JWT: NewSecret(bearer)},
	}, nil
}
