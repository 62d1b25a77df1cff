// SPDX-License-Identifier: Apache-2.0

// Package bench measures the hot paths beside floors: the least that any implementation on net/http would have to do.
// `make bench` runs it and writes docs/benchmarks.md.
package bench

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/internal/server/oauthapi"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

const issuerURL = "http://127.0.0.1:8089"

// subject is a token service with one client, fed without an API server. It counts, and writes its audit log, as one that runs.
type subject struct {
	handler http.Handler
	key     keyring.Key
	secret  oauth.Secret
}

func newSubject(t testing.TB, algorithm string, cacheSize int) subject {
	t.Helper()
	key := must(keyring.Generate(algorithm, rand.Reader, time.Now()))
	pepperData := must(credential.GeneratePepper(rand.Reader))
	pepper := must(credential.DecodePepper(pepperData))
	secret := must(credential.GenerateSecret(rand.Reader))

	keys := &kube.Keys{}
	for name, data := range map[string]map[string][]byte{
		v1alpha1.PepperSecretName: pepperData, v1alpha1.SigningKeysSecretName: must(keyring.Encode(key)),
	} {
		if err := keys.Store(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	directory := &kube.Directory{}
	directory.Store(builder.Account("acme", builder.Namespaces("acme")))
	verifiers := credential.Verifiers{{Digest: pepper.Digest("uid", "acme.orders", secret), PepperID: pepper.ID()}}
	directory.Store(builder.ClientCredential("acme", "orders", builder.ForAccount("acme"), builder.UID("uid"), builder.VerifiedBy(verifiers.Write()...)))

	registry := prometheus.NewRegistry()
	budgets, refusals := app.DefaultLimits(), limit.NewRefusals(registry)
	log := &app.Common{LogLevel: "info", LogFormat: "json"}
	api := &oauthapi.API{
		Issuer: &issuer.Service{
			Minter:    issuer.Minter{Issuer: issuerURL, Now: time.Now, Random: rand.Reader},
			Directory: directory, Keys: keys, Tokens: token.NewCache(cacheSize),
			Failures:    limit.NewFailures(budgets.Failures, time.Now, refusals),
			Revocations: limit.NewRevocations(budgets.Revocations, time.Now, refusals),
		},
		AccountHeader: app.DefaultAccountHeader,
		Metrics:       oauthapi.NewMetrics(registry),
		Audit:         audit.NewLog(log.Logger(io.Discard)),
	}
	routes := server.Routes(api, must(oauth.ParseIssuerURL(issuerURL, false)), server.Access{}, func() bool { return true })
	return subject{handler: routes, key: key, secret: secret}
}

func (s subject) token(t testing.TB) string {
	t.Helper()
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, s.issueCall().request())
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || body.AccessToken == "" {
		t.Fatalf("no token: %d, %v", answer.Code, err)
	}
	return body.AccessToken
}

func (s subject) issueCall() call {
	return call{path: server.PathToken, form: "grant_type=client_credentials&" + s.clientForm()}
}

func (s subject) clientForm() string {
	return "client_id=acme.orders&client_secret=" + s.secret.Reveal()
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
