// SPDX-License-Identifier: Apache-2.0

// Package bench measures the hot paths beside floors: the least that any implementation on net/http would have to do.
// `make bench` runs it and prints the ratios.
package bench

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/test/builder"
)

const (
	issuerURL   = "http://127.0.0.1:8089"
	verifyQuery = "?scope=Webhook&account=acme"
)

// subject is a token service with one client, fed without an API server.
type subject struct {
	handler http.Handler
	key     keyring.Key
	secret  oauth.ClientSecret
}

func newSubject(b *testing.B) subject {
	b.Helper()
	key, err := keyring.Generate(keyring.AlgorithmES256, rand.Reader, time.Now())
	check(b, err)
	keyData, err := keyring.Encode(key)
	check(b, err)
	pepperData, err := credential.GeneratePepper(rand.Reader)
	check(b, err)
	pepper, err := credential.DecodePepper(pepperData)
	check(b, err)
	secret, err := credential.GenerateSecret(rand.Reader)
	check(b, err)

	keys := &kube.Keys{}
	check(b, keys.Store(keySecret(v1alpha1.PepperSecretName, pepperData)))
	check(b, keys.Store(keySecret(v1alpha1.SigningKeysSecretName, keyData)))
	directory := &kube.Directory{}
	directory.Store(builder.Account("acme", builder.Namespaces("acme")))
	verifiers := credential.Verifiers{{Digest: pepper.Digest("uid", "acme.orders", secret), PepperID: pepper.ID()}}
	directory.Store(builder.ClientCredential("acme", "orders", builder.ForAccount("acme"), builder.UID("uid"), builder.VerifiedBy(verifiers.Write()...)))

	registry := prometheus.NewRegistry()
	budget := limit.Budget{Burst: 20, Every: 3 * time.Second}
	refusals := limit.NewRefusals(registry)
	api := &oauthapi.API{
		Issuer: &issuer.Service{
			Minter:    issuer.Minter{Issuer: issuerURL, Now: time.Now, Random: rand.Reader},
			Directory: directory, Keys: keys,
			Failures:    limit.NewFailures(limit.FailureBudgets{Pair: budget, Source: budget, Client: budget}, time.Now, refusals),
			Revocations: limit.NewRevocations(budget, time.Now, refusals),
		},
		AccountHeader: "X-Cyclr-Account",
		Metrics:       oauthapi.NewMetrics(registry),
		Audit:         audit.NewLog(logr.Discard()),
	}
	issuer, err := oauth.ParseIssuerURL(issuerURL, false)
	check(b, err)
	return subject{handler: server.Routes(api, issuer, server.Access{}, func() bool { return true }), key: key, secret: secret}
}

func keySecret(name string, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
}

func (s subject) form() string {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {"acme.orders"}, "client_secret": {s.secret.Reveal()}}.Encode()
}

func BenchmarkIssue(b *testing.B) {
	s := newSubject(b)
	form := s.form()
	request := func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, server.PathToken, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	b.Run("claviger", func(b *testing.B) { serve(b, s.handler, request) })
	b.Run("floor", func(b *testing.B) { serve(b, s.issueFloor(), request) })
}

func BenchmarkVerify(b *testing.B) {
	s := newSubject(b)
	token := s.token(b)
	request := func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, server.PathVerify+verifyQuery, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	b.Run("claviger", func(b *testing.B) { serve(b, s.handler, request) })
	b.Run("floor", func(b *testing.B) { serve(b, s.verifyFloor(), request) })
}

// serve measures a handler on all cores. A request and a recorder are made anew each time, for claviger and floor alike.
func serve(b *testing.B, handler http.Handler, request func() *http.Request) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request())
			if answer.Code != http.StatusOK {
				b.Errorf("status %d", answer.Code)
				return
			}
		}
	})
}

func (s subject) token(b *testing.B) string {
	b.Helper()
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, server.PathToken, strings.NewReader(s.form()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.handler.ServeHTTP(answer, request)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	check(b, json.Unmarshal(answer.Body.Bytes(), &body))
	return body.AccessToken
}

// issueFloor parses the form, checks one HMAC, signs one token of the same claims and writes the answer.
func (s subject) issueFloor() http.Handler {
	key := []byte("0123456789abcdef0123456789abcdef")
	want := digest(key, s.secret.Reveal())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil || !hmac.Equal(digest(key, r.PostForm.Get("client_secret")), want) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		now := time.Now()
		unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": issuerURL, "sub": "acme.orders", "aud": issuerURL, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "jti": "x",
			"client_id": "acme.orders", "scope": "Webhook", "account": "acme", "incarnation": "x",
		})
		signed, err := unsigned.SignedString(s.key.Private())
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"token_type": "bearer", "access_token": signed, "expires_in": 3600, "clientId": "acme.orders", "scope": "Webhook",
		})
	})
}

func digest(key []byte, secret string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// verifyFloor reads the query, checks the signature and the times of the token and writes the same headers.
func (s subject) verifyFloor() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		var claims jwt.MapClaims
		_, err := jwt.ParseWithClaims(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), &claims,
			func(*jwt.Token) (any, error) { return s.key.Public(), nil }, jwt.WithValidMethods([]string{"ES256"}))
		if err != nil || claims["scope"] != query.Get("scope") || claims["account"] != query.Get("account") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-Claviger-Client-Id", claims["client_id"].(string))
		w.Header().Set("X-Claviger-Account", claims["account"].(string))
		w.Header().Set("X-Claviger-Scope", claims["scope"].(string))
		w.Header().Set("X-Claviger-Expires", time.Now().Format(time.RFC3339))
		w.WriteHeader(http.StatusOK)
	})
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
