// SPDX-License-Identifier: Apache-2.0

package oauth

import "net/url"

// responseTypeCode asks for an authorization code (RFC 6749 section 4.1.1).
const responseTypeCode = "code"

// RefuseAuthorization says why an authorization request is refused, of which there is always a reason: no user can be asked
// here, and no client has a redirect URI. So section 4.1.2.1 of RFC 6749 forbids to send the user back to the client, and the
// error is for the user's own eyes. query is the undecoded query string. What it says of a client is not looked up, so that the
// answer tells nobody which ones exist.
//
// It gives invalid_request where the request is malformed or lacks a parameter, unsupported_response_type where it asks for
// anything but a code, and unauthorized_client else.
func RefuseAuthorization(query string) *Error {
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return InvalidRequest("the query is malformed")
	}
	for name, values := range parameters {
		if len(values) > 1 && !repeatable.Has(name) {
			return InvalidRequest("a parameter is repeated")
		}
	}
	switch response := parameters.Get("response_type"); {
	case response == "":
		return InvalidRequest("response_type is missing")
	case response != responseTypeCode:
		return UnsupportedResponseType()
	case parameters.Get("client_id") == "":
		return InvalidRequest("client_id is missing")
	default:
		return UnauthorizedClient()
	}
}
