// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"crypto/subtle"
	"net/http"
	"net/url"

	"github.com/golang-jwt/jwt/v5"
)

// authenticates reports whether a request is the client's, in the one way that it is registered with.
func (p *Provider) authenticates(r *http.Request) bool {
	options := p.current()
	user, password, basic := r.BasicAuth()
	id, secret, assertion := r.PostFormValue("client_id"), r.PostFormValue("client_secret"), r.PostFormValue("client_assertion")
	switch options.Auth {
	case Basic:
		id, err := url.QueryUnescape(user)
		secret, err2 := url.QueryUnescape(password)
		return basic && err == nil && err2 == nil && assertion == "" && options.is(id, secret)
	case Post:
		return !basic && assertion == "" && options.is(id, secret)
	default:
		return !basic && secret == "" && id == ClientID && p.verifies(assertion)
	}
}

func (o Options) is(id, secret string) bool {
	return id == ClientID && subtle.ConstantTimeCompare([]byte(secret), []byte(o.ClientSecret)) == 1
}

// verifies checks an assertion as RFC 7523 section 3 says: signature, iss, sub, aud, exp, and a jti that is used once.
func (p *Provider) verifies(assertion string) bool {
	options := p.current()
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(assertion, &claims, func(*jwt.Token) (any, error) { return options.ClientKey, nil },
		jwt.WithIssuer(ClientID), jwt.WithSubject(ClientID), jwt.WithAudience(p.URL+PathToken, p.URL+PathRevoke, p.URL), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(options.Now))
	if err != nil || claims.ID == "" {
		return false
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fresh := !p.used[claims.ID]
	p.used[claims.ID] = true
	return fresh
}
