// SPDX-License-Identifier: Apache-2.0

package oauth

// RevocationRequest is a well-formed request to the revocation endpoint (RFC 7009 section 2.1). Nothing in it is verified.
type RevocationRequest struct {
	Client ClientAuthentication
	// Token is what shall be revoked. It need not be a token at all.
	Token string
}

// ParseRevocationRequest judges the form of a revocation request, in this order: no query string, a well-formed body, one way of
// client authentication, a token. token_type_hint is ignored, known or not, as section 2.1 allows: there is one type of token.
// So are unknown parameters. It fails with invalid_request or invalid_client.
func ParseRevocationRequest(raw RawRequest) (RevocationRequest, error) {
	client, token, err := raw.clientAndToken(func(r RawRequest, body form) (ClientAuthentication, error) { return r.client(body, PathRevoke) })
	return RevocationRequest{Client: client, Token: token}, err
}
