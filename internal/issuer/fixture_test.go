// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

const issuerURL = "https://auth.example.com"

// noon is the time at which a test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a token service with all that it knows, which tests may change.
type world struct {
	*issuer.Service
	directory *kube.Directory
	keys      *kube.Keys
	pepper    credential.Pepper
	now       time.Time
}

// newWorld has the accounts acme and beta, and the credentials acme.orders (Webhook), acme.agents (MCP), acme.all (both and
// acme's own orders.read), beta.orders (Webhook) and platform.console (API). A credential's secret is its client ID.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{directory: &kube.Directory{}, keys: &kube.Keys{}, now: noon}
	w.Service = &issuer.Service{
		Minter: issuer.Minter{
			Issuer: issuerURL,
			Rules:  credential.Rules{ConsoleNamespaces: []string{"platform"}},
			Now:    func() time.Time { return w.now },
			Random: mathrand.NewChaCha8([32]byte{}),
		},
		Directory: w.directory,
		Keys:      w.keys,
	}
	w.Tokens = token.NewCache(64)
	w.budgets(limit.FailureBudgets{}, limit.Budget{})
	w.loadPepper(t)
	w.loadRing(t, newKey(t, noon))
	w.account("acme", builder.Namespaces("acme"), builder.Scopes("orders.read"))
	w.account("beta", builder.Namespaces("beta"))
	w.credential("acme", "orders", builder.ForAccount("acme"), builder.TokenMinutes(60))
	w.credential("acme", "agents", builder.ForAccount("acme"), builder.WithScopes("MCP"))
	w.credential("acme", "all", builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP", "orders.read"))
	w.credential("beta", "orders", builder.ForAccount("beta"))
	w.credential("platform", "console")
	return w
}

// budgets sets budgets, full ones; the zero values bound nothing.
func (w *world) budgets(failures limit.FailureBudgets, revocations limit.Budget) {
	refusals := limit.NewRefusals(prometheus.NewRegistry())
	w.Failures = limit.NewFailures(failures, w.Now, refusals)
	w.Revocations = limit.NewRevocations(revocations, w.Now, refusals)
}

// loadPepper makes the pepper and hands it over in its Secret, as the API server would.
func (w *world) loadPepper(t *testing.T) {
	t.Helper()
	data, err := credential.GeneratePepper(mathrand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	if w.pepper, err = credential.DecodePepper(data); err != nil {
		t.Fatal(err)
	}
	w.storeKeys(t, v1alpha1.PepperSecretName, data)
}

// loadRing hands over signing keys.
func (w *world) loadRing(t *testing.T, keys ...keyring.Key) {
	t.Helper()
	data, err := keyring.Encode(keys...)
	if err != nil {
		t.Fatal(err)
	}
	w.storeKeys(t, v1alpha1.SigningKeysSecretName, data)
}

func (w *world) storeKeys(t *testing.T, name string, data map[string][]byte) {
	t.Helper()
	if err := w.keys.Store(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}); err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T, createdAt time.Time) keyring.Key {
	t.Helper()
	key, err := keyring.Generate(keyring.AlgorithmES256, rand.Reader, createdAt)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ring gives the keys that are loaded.
func (w *world) ring(t *testing.T) *keyring.Ring {
	t.Helper()
	ring, ok := w.keys.Ring()
	if !ok {
		t.Fatal("no keys are loaded")
	}
	return ring
}

// account stores an Account, in place of one of the same name.
func (w *world) account(name string, options ...builder.AccountOption) {
	options = append([]builder.AccountOption{builder.UID(types.UID("account " + name))}, options...)
	w.directory.Store(builder.Account(name, options...))
}

// credential stores a ClientCredential whose secret is its client ID, in place of one of the same name.
func (w *world) credential(namespace, name string, options ...builder.CredentialOption) {
	options = append([]builder.CredentialOption{builder.UID(types.UID("credential " + name))}, options...)
	object := builder.ClientCredential(namespace, name, options...)
	if object.Status.Verifiers == nil {
		object.Status.Verifiers = w.verifiers(object, credential.ClientID(object), time.Time{}).Write()
	}
	w.directory.Store(object)
}

func (w *world) verifiers(object *v1alpha1.ClientCredential, secret string, expires time.Time) credential.Verifiers {
	digest := w.pepper.Digest(object.UID, credential.ClientID(object), oauth.NewSecret(secret))
	return credential.Verifiers{{Digest: digest, PepperID: w.pepper.ID(), ExpiresAt: expires}}
}

// request asks for scopes as a client whose secret is its ID.
func request(clientID string, scopes ...string) oauth.TokenRequest {
	return oauth.TokenRequest{Client: presented(clientID, clientID), Scopes: scopes}
}

// presented gives readings of a client: ID and secret, and perhaps another ID and secret.
func presented(idsAndSecrets ...string) oauth.ClientAuthentication {
	client := oauth.ClientAuthentication{Method: oauth.MethodSecretBasic}
	for i := 0; i < len(idsAndSecrets); i += 2 {
		client.Readings = append(client.Readings, oauth.Presented{
			ClientID: idsAndSecrets[i], Secret: oauth.NewSecret(idsAndSecrets[i+1]),
		})
	}
	return client
}

// issue gives a token to a client that must get one. It is shown somewhere, so that what happens to a token later happens to one
// that was verified and is remembered.
func (w *world) issue(t *testing.T, clientID string, scopes ...string) issuer.Grant {
	t.Helper()
	grant, err := w.Issue(request(clientID, scopes...))
	if err != nil {
		t.Fatalf("no token for %s: %v", clientID, err)
	}
	before := w.Tokens.Len()
	_, _ = w.Authorize(grant.AccessToken, issuer.Need{})
	if w.Tokens.Len() != before+1 {
		t.Fatal("the token was not taken into the cache")
	}
	return grant
}

// claims reads a genuine token.
func (w *world) claims(t *testing.T, raw string) token.Claims {
	t.Helper()
	claims, err := token.Verify(raw, w.ring(t), token.Expect{Issuer: issuerURL, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// subject finds a client that must exist.
func (w *world) subject(t *testing.T, clientID string) credential.Subject {
	t.Helper()
	subject, found := w.directory.Subject(clientID)
	if !found {
		t.Fatalf("there is no client %s", clientID)
	}
	return subject
}

// codeOf gives the code of an OAuth error; empty for nil, and the whole text of any other error.
func codeOf(err error) string {
	var failure *oauth.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failure):
		return failure.Code
	default:
		return err.Error()
	}
}
