// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/client"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// keyID is what the provider calls the client's key.
const keyID = "key-of-our-app"

// keyed is the example server's storage with one more client, which signs its assertions with a key.
type keyed struct {
	*storage.Storage
	client op.Client
	key    crypto.PublicKey
}

// GetClientByClientID implements op.Storage.
func (k keyed) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	if id == k.client.GetID() {
		return k.client, nil
	}
	return k.Storage.GetClientByClientID(ctx, id)
}

// GetKeyByIDAndClientID implements op.Storage.
func (k keyed) GetKeyByIDAndClientID(_ context.Context, id, of string) (*jose.JSONWebKey, error) {
	if of != k.client.GetID() || id != keyID {
		return nil, errors.New("there is no such key")
	}
	return &jose.JSONWebKey{KeyID: id, Use: "sig", Key: k.key}, nil
}

// signer is a client that authenticates by assertions.
type signer struct{ *storage.Client }

// AuthMethod implements op.Client.
func (signer) AuthMethod() oidc.AuthMethod { return oidc.AuthMethodPrivateKeyJWT }

// startZitadel starts the example server of zitadel/oidc, and gives its URL.
func startZitadel(key crypto.PublicKey) string {
	GinkgoHelper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	kept := keyed{storage.NewStorage(storage.NewUserStore(issuer)), signer{storage.WebClient(provider.ClientID, "", callback)}, key}
	DeferCleanup(slog.SetDefault, slog.Default()) // which it replaces
	server.Config.Handler = exampleop.SetupServer(issuer, kept, slog.New(slog.DiscardHandler), false)
	server.Start()
	DeferCleanup(server.Close)
	return issuer
}

var hiddenID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signInAt goes through its login page as a browser would, and gives the tokens of a user.
func signInAt(ctx context.Context, issuer string, key *rsa.PrivateKey) provider.Tokens {
	GinkgoHelper()
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	signature, err := client.NewSignerFromPrivateKeyByte(text, keyID)
	Expect(err).NotTo(HaveOccurred())
	party, err := rp.NewRelyingPartyOIDC(ctx, issuer, provider.ClientID, "", callback, []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess},
		rp.WithJWTProfile(func() (jose.Signer, error) { return signature, nil }))
	Expect(err).NotTo(HaveOccurred())
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	var answered url.Values
	browser := &http.Client{Jar: jar, CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(to.URL.String(), callback) {
			answered = to.URL.Query()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	verifier := strings.Repeat("verifier-", 6)
	start, err := http.NewRequestWithContext(ctx, http.MethodGet, rp.AuthURL("state", party, rp.WithCodeChallenge(oidc.NewSHACodeChallenge(verifier))), http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	found := hiddenID.FindStringSubmatch(harness.DoWith(browser, start).Body)
	Expect(found).NotTo(BeNil(), "it asks who the user is")
	form := url.Values{"id": {found[1]}, "username": {"test-user@127.0.0.1"}, "password": {"verysecure"}}
	login, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer+"/login/username", strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	harness.DoWith(browser, login)
	assertion, err := client.SignedJWTProfileAssertion(provider.ClientID, []string{issuer}, time.Minute, signature)
	Expect(err).NotTo(HaveOccurred())
	tokens, err := rp.CodeExchange[*oidc.IDTokenClaims](ctx, answered.Get("code"), party, rp.WithCodeVerifier(verifier), rp.WithClientAssertionJWT(assertion))
	Expect(err).NotTo(HaveOccurred())
	plane.Ledger.Add(tokens.AccessToken)
	plane.Ledger.Add(tokens.RefreshToken)
	return provider.Tokens{Access: tokens.AccessToken, Refresh: tokens.RefreshToken, Expires: tokens.Expiry}
}

// Its clock is the machine's, and it refuses an assertion of the future. So nothing waits here: a token that is said to have expired is
// refreshed at once.
var _ = It("zitadel/oidc takes our assertions, and its tokens are refreshed", func(ctx context.Context) {
	plane.StartManagerWith(reaching(nil))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	Expect(err).NotTo(HaveOccurred())
	issuer := startZitadel(key.Public())
	tokens := signInAt(ctx, issuer, key)
	tokens.Expires = time.Now().Add(-time.Minute)

	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	shared := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: fresh()},
		Data: map[string][]byte{
			"client_id": []byte(provider.ClientID), "key_id": []byte(keyID),
			"private_key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		},
	}
	plane.Create(ctx, shared)
	object := connect(ctx, home(ctx), tokens, v1alpha1.ConnectorSpec{
		Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStylePrivateKeyJWT,
		Client: v1alpha1.ClientShared, ClientSecretRef: &v1alpha1.ConnectionsSecretReference{Name: shared.Name},
		Issuer:  v1alpha1.ConnectorURL(issuer),
		Refresh: v1alpha1.ConnectorRefresh{Rotation: v1alpha1.RotationStrict},
	})
	Eventually(func() string { return reason(read(ctx, object), v1alpha1.ConditionRefreshHealthy) }).Should(Equal(v1alpha1.ReasonRefreshed), said(object))
	Eventually(func() bool { return ready(read(ctx, object)) }).Should(BeTrue(), said(object))
	Expect(recordOf(ctx, object).RefreshToken.Reveal() == tokens.Refresh).To(BeFalse(), "the refresh token is another one")

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/userinfo", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+published(ctx, object))
	Expect(harness.Do(request).Status).To(Equal(http.StatusOK), "what is published is good there")
})
