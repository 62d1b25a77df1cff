// SPDX-License-Identifier: Apache-2.0

package thirdparty

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	// maxBody bounds a request, in bytes.
	maxBody = 1 << 16
)

// token is the token endpoint (RFC 6749 sections 4.1.3, 5 and 6).
func (a *Application) token(w http.ResponseWriter, r *http.Request) {
	if !authenticated(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var held *grant
	switch r.PostForm.Get("grant_type") {
	case grantCode:
		held = a.redeem(r.PostForm)
	case grantRefresh:
		held = a.byRefresh(r.PostForm.Get("refresh_token"))
	default:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return
	}
	if held == nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	access, refresh := a.renew(held)
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(TokenLifetime / time.Second), "refresh_token": refresh, "scope": held.scope,
	})
}

// redeem trades a code, once, for a grant.
func (a *Application) redeem(form url.Values) *grant {
	issued, known := a.codes[form.Get("code")]
	delete(a.codes, form.Get("code"))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	verified := base64.RawURLEncoding.EncodeToString(sum[:]) == issued.challenge
	if !known || !verified || form.Get("redirect_uri") != issued.redirectURI || !a.now().Before(issued.expiresAt) {
		return nil
	}
	held := &grant{user: issued.user, scope: issued.scope, access: map[string]time.Time{}}
	a.grants = append(a.grants, held)
	return held
}

// revoke ends the grant of a token (RFC 7009 section 2).
func (a *Application) revoke(w http.ResponseWriter, r *http.Request) {
	if !authenticated(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	token := r.PostForm.Get("token")
	held := a.byAccess(token)
	if held == nil {
		held = a.byRefresh(token)
	}
	if held != nil {
		a.end(held)
	}
	w.WriteHeader(http.StatusOK)
}

// authenticated reports whether it is the client that asks, and answers where it is not (RFC 6749 sections 2.3.1 and 5.2).
func authenticated(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return false
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, secret = unescape(user), unescape(password)
	}
	if id == ClientID && subtle.ConstantTimeCompare([]byte(secret), []byte(ClientSecret)) == 1 {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="`+Name+`"`)
	writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	return false
}

func unescape(text string) string {
	read, err := url.QueryUnescape(text)
	if err != nil {
		return ""
	}
	return read
}

// bearer gives the token of a call; "" where there is none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
