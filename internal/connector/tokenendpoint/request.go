// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"net/url"

	"github.com/claviger/claviger/internal/oauth"
)

// Request is a token request.
type Request struct {
	// TokenURL is the token endpoint. It may have a query, and no fragment.
	TokenURL string
	Client   Credentials
	Grant    Grant
	// Scope is asked for. Empty: none is.
	Scope string
	// Parameters are sent besides. Those of the protocol are left out, but for scope, which is used where Scope is empty.
	Parameters map[string]string
	// ResponsePath is where in the answer the object with the tokens is: names separated by dots. Empty: it is the answer itself.
	ResponsePath string
}

// Grant is what is presented: an AuthorizationCode, a RefreshToken or ClientCredentials.
type Grant interface {
	// present adds it to a form.
	present(form url.Values)
}

// AuthorizationCode is what a user's sign-in has brought (RFC 6749 section 4.1.3).
type AuthorizationCode struct {
	Code oauth.Secret
	// Verifier is that of the code challenge (RFC 7636 section 4.5). Empty: there was none.
	Verifier oauth.Secret
	// RedirectURI is that of the authorization request. Empty: it had none.
	RedirectURI string
}

// RefreshToken is what an earlier answer has brought (RFC 6749 section 6).
type RefreshToken struct{ Token oauth.Secret }

// ClientCredentials present nothing but the client (RFC 6749 section 4.4.2).
type ClientCredentials struct{}

func (g AuthorizationCode) present(form url.Values) {
	form.Set("grant_type", "authorization_code")
	form.Set("code", g.Code.Reveal())
	if g.RedirectURI != "" {
		form.Set("redirect_uri", g.RedirectURI)
	}
	if verifier := g.Verifier.Reveal(); verifier != "" {
		form.Set("code_verifier", verifier)
	}
}

func (g RefreshToken) present(form url.Values) {
	form.Set("grant_type", "refresh_token")
	form.Set("refresh_token", g.Token.Reveal())
}

func (ClientCredentials) present(form url.Values) { form.Set("grant_type", "client_credentials") }

// ownParameter reports whether a parameter is the protocol's: of any grant and any way of authentication, so that none is sent beside
// those which are used. The schema of a Connector has the same list.
func ownParameter(name string) bool {
	switch name {
	case "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "token",
		"client_id", "client_secret", "client_assertion", "client_assertion_type":
		return true
	default:
		return false
	}
}

// form gives the request without the client.
func (r Request) form() url.Values {
	form := url.Values{}
	for name, value := range r.Parameters {
		if !ownParameter(name) {
			form.Set(name, value)
		}
	}
	if r.Scope != "" {
		form.Set("scope", r.Scope)
	}
	r.Grant.present(form)
	return form
}
