// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

// refused says what an error means. One that is not known means nothing: it may have come after what was asked for was done.
func refused(content object) connector.Answer {
	code := content.code()
	if ok, is := content["ok"].(bool); is && !ok {
		if meant := ofSlack(code); meant != "" {
			code = meant
		}
	}
	if meant := ofGitHub(code); meant != "" {
		code = meant
	}
	why := meaning(code)
	switch code {
	case oauth.CodeInvalidGrant:
		return connector.Answer{Outcome: connector.GrantRefused, Code: code, Why: why}
	case oauth.CodeTemporarilyUnavailable:
		return connector.Answer{Outcome: connector.Busy, Code: code, Why: why}
	}
	if why == "" {
		return unclear("the provider answers with an error that no RFC has")
	}
	return connector.Answer{Outcome: connector.ClientRefused, Code: code, Why: why}
}

// meaning says for people what the codes of RFC 6749 section 5.2 and RFC 8707 section 2 mean here; "" for others.
func meaning(code string) string {
	switch code {
	case oauth.CodeInvalidGrant:
		return "the provider says that the grant is not valid: it has expired, was revoked or used before, or is of another client"
	case oauth.CodeTemporarilyUnavailable: // of section 4.1.2.1, and given by token endpoints too
		return "the provider says that it can do nothing now"
	case oauth.CodeInvalidClient:
		return "the provider does not know the client, or not with this secret or key"
	case oauth.CodeUnauthorizedClient:
		return "the provider does not let the client use this grant"
	case oauth.CodeUnsupportedGrantType:
		return "the provider has no such grant"
	case oauth.CodeInvalidScope:
		return "the provider does not give the client these scopes"
	case oauth.CodeInvalidRequest:
		return "the provider finds the request wrong: see the parameters and the authStyle of the Connector"
	case oauth.CodeInvalidTarget:
		return "the provider does not know the resource, or not for the client"
	default:
		return ""
	}
}

// ofGitHub gives the RFC's code for one of GitHub's own, which it answers with 200 ("Troubleshooting OAuth app access token request
// errors" and "Refreshing user access tokens" in its documentation); "" for others.
func ofGitHub(code string) string {
	switch code {
	case "bad_refresh_token", // it is incorrect or has expired
		"bad_verification_code": // the authorization code is incorrect or has expired
		return oauth.CodeInvalidGrant
	case "incorrect_client_credentials":
		return oauth.CodeInvalidClient
	case "redirect_uri_mismatch":
		return oauth.CodeInvalidRequest
	default:
		return ""
	}
}

// ofSlack gives the RFC's code for one of Slack's own, which it answers with 200 and "ok":false (the methods oauth.v2.access and
// oauth.v2.exchange in its documentation); "" for others. Of internal_error and fatal_error it says that some of what was asked for
// may have been done.
func ofSlack(code string) string {
	switch code {
	case "invalid_refresh_token",
		"invalid_code",
		"token_expired": // of what was presented: a token request presents no other
		return oauth.CodeInvalidGrant
	case "invalid_client_id", "bad_client_secret":
		return oauth.CodeInvalidClient
	case "invalid_grant_type":
		return oauth.CodeUnsupportedGrantType
	case "bad_redirect_uri":
		return oauth.CodeInvalidRequest
	default:
		return ""
	}
}
