// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// digest is the one HMAC that checking a client secret takes.
func digest(secret string) []byte {
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// authenticated parses the form and checks the client secret.
func (s subject) authenticated(r *http.Request) bool {
	return r.ParseForm() == nil && hmac.Equal(digest(r.PostForm.Get("client_secret")), digest(s.secret.Reveal()))
}

// issueFloor parses the form, checks one HMAC, signs one token of the same claims and writes the answer.
func (s subject) issueFloor() http.HandlerFunc {
	method := jwt.GetSigningMethod(s.key.Algorithm)
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.authenticated(r) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		now := time.Now()
		signed := must(jwt.NewWithClaims(method, jwt.MapClaims{
			"iss": issuerURL, "sub": "acme.orders", "aud": issuerURL, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "jti": "x",
			"client_id": "acme.orders", "scope": "Webhook", "account": "acme", "incarnation": "x",
		}).SignedString(s.key.Private()))
		writeJSON(w, map[string]any{
			"token_type": "bearer", "access_token": signed, "expires_in": 3600, "clientId": "acme.orders", "scope": "Webhook",
		})
	}
}

// verifyFloor reads the query and writes the same headers. It looks at no token.
func verifyFloor(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("scope") != "Webhook" || query.Get("account") != "acme" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	writeVerdict(w)
}

// verifySignatureFloor checks the signature and the times of the token, too.
func (s subject) verifySignatureFloor() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		var claims jwt.MapClaims
		_, err := jwt.ParseWithClaims(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), &claims,
			func(*jwt.Token) (any, error) { return s.key.Public(), nil }, jwt.WithValidMethods([]string{s.key.Algorithm}))
		if err != nil || claims["scope"] != query.Get("scope") || claims["account"] != query.Get("account") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		writeVerdict(w)
	}
}

func writeVerdict(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Claviger-Client-Id", "acme.orders")
	w.Header().Set("X-Claviger-Account", "acme")
	w.Header().Set("X-Claviger-Scope", "Webhook")
	w.Header().Set("X-Claviger-Expires", time.Now().UTC().Format(time.RFC3339))
	w.WriteHeader(http.StatusOK)
}

// introspectFloor parses the form, checks one HMAC and writes the answer. It looks at no token.
func (s subject) introspectFloor() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.authenticated(r) || r.PostForm.Get("token") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		now := time.Now().Unix()
		writeJSON(w, map[string]any{
			"active": true, "scope": "Webhook", "client_id": "acme.orders", "token_type": "bearer", "exp": now, "iat": now,
			"sub": "acme.orders", "aud": []string{issuerURL}, "iss": issuerURL, "jti": "x", "account": "acme",
		})
	}
}

func writeJSON(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
