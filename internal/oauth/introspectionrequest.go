// SPDX-License-Identifier: Apache-2.0

package oauth

// IntrospectionRequest is a well-formed request to the introspection endpoint (RFC 7662 section 2.1). Nothing in it is verified.
type IntrospectionRequest struct {
	Client ClientAuthentication
	// Token is what is asked about. It need not be a token at all.
	Token string
}

// ParseIntrospectionRequest judges the form of an introspection request, in this order: no query string, a well-formed body, one
// way of client authentication, a token. token_type_hint is ignored, known or not, as section 2.1 allows: there is one type of
// token. So are unknown parameters. It fails with invalid_request or invalid_client.
func ParseIntrospectionRequest(raw RawRequest) (IntrospectionRequest, error) {
	client, token, err := raw.clientAndToken()
	return IntrospectionRequest{Client: client, Token: token}, err
}

// clientAndToken reads what a request about a token consists of (RFC 7009 section 2.1, RFC 7662 section 2.1).
func (r RawRequest) clientAndToken() (ClientAuthentication, string, error) {
	body, err := r.form()
	if err != nil {
		return ClientAuthentication{}, "", err
	}
	client, err := r.client(body)
	if err != nil {
		return ClientAuthentication{}, "", err
	}
	token := body.get("token")
	if token == "" {
		return ClientAuthentication{}, "", InvalidRequest("token is missing")
	}
	return client, token, nil
}
