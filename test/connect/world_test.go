// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// hostOrigin is that of the host's own pages, and hostPage one of them.
const (
	hostOrigin = "https://app.acme.example"
	hostPage   = hostOrigin + "/done?tab=crm"
)

// customer is an account with a connection that nobody has signed in for yet.
type customer struct {
	*provider.Provider
	// name is that of the account, of its namespace and of its Connector.
	name       string
	account    *v1alpha1.Account
	library    *v1alpha1.Connector
	connection *v1alpha1.AccountConnector
	// target is where its links end.
	target string
	// untouched is the grant while nobody has signed in.
	untouched string
}

// id is the AccountConnectorID.
func (c *customer) id() string { return c.name + "." + c.connection.Name }

// newCustomer makes one, and waits until a user can sign in at both replicas. change may change the objects before they are created.
func newCustomer(ctx context.Context, options provider.Options, change func(*customer)) *customer {
	GinkgoHelper()
	c := &customer{name: fresh(), target: hostPage}
	if options.RedirectURIs == nil {
		options.RedirectURIs = []string{c.redirectURI()}
	}
	c.Provider = startProvider(options)
	c.account = builder.Account(c.name, builder.Namespaces(c.name))
	c.account.Spec.DisplayName = "Acme Ltd"
	c.account.Spec.AllowedOrigins = []v1alpha1.Origin{hostOrigin}
	c.library = &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: c.name}, Spec: v1alpha1.ConnectorSpec{
		DisplayName: "Example CRM", Grant: v1alpha1.GrantAuthorizationCode, AuthStyle: v1alpha1.AuthStyleBasic, Scopes: []v1alpha1.ProviderScope{"crm.read", "crm.write"},
		AuthorizationURL: v1alpha1.ConnectorURL(c.URL + provider.PathAuthorize), TokenURL: v1alpha1.ConnectorURL(c.URL + provider.PathToken),
		RevocationURL: v1alpha1.ConnectorURL(c.URL + provider.PathRevoke), Refresh: v1alpha1.ConnectorRefresh{Rotation: v1alpha1.RotationStrict},
	}}
	c.connection = &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: c.name, Name: "crm"}, Spec: v1alpha1.AccountConnectorSpec{
		AccountRef: v1alpha1.AccountReference{Name: c.name}, ConnectorRef: v1alpha1.ConnectorReference{Name: c.name},
		Properties: []v1alpha1.AccountProperty{
			{Name: "ClientId", Value: provider.ClientID},
			{Name: "ClientSecret", ValueFrom: &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "mine", Key: "secret"}}},
		},
	}}
	if change != nil {
		change(c)
	}
	plane.Create(ctx, c.account)
	plane.Create(ctx, c.library,
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: c.name, Name: "mine"}, StringData: map[string]string{"secret": provider.ClientSecret}},
		c.connection)
	Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonSignInRequired))
	c.expectKnownTo(ctx, connect, second)
	c.untouched = c.grant(ctx)
	return c
}

// another gives one more connection of the account, at the same application with the same client, which is not created yet.
func (c *customer) another(name string) *v1alpha1.AccountConnector {
	return &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: c.name, Name: name}, Spec: *c.connection.Spec.DeepCopy()}
}

// redirectURI is that of its Connector.
func (c *customer) redirectURI() string { return connect.URL + connectapi.PathCallback + c.name }

func startProvider(options provider.Options) *provider.Provider {
	GinkgoHelper()
	started := provider.Start(options)
	DeferCleanup(started.Close)
	DeferCleanup(func() {
		for _, secret := range started.Secrets().All() {
			plane.Ledger.Add(secret)
		}
	})
	return started
}

// expectKnownTo waits until replicas know all of the objects: a link leads to its page at each.
func (c *customer) expectKnownTo(ctx context.Context, replicas ...*harness.Connect) {
	GinkgoHelper()
	var token string
	for _, replica := range replicas {
		Eventually(func() (status int) {
			status, token = c.askSignInToken(replica)
			return status
		}).Should(Equal(http.StatusOK), "the replica knows the account")
		Eventually(func() string { return problemOn(newBrowser(replica).get(linkOf(c.id(), token, c.target))) }).
			Should(BeEmpty(), "the replica knows the connection")
		link := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: linkSecret(token)}}
		Expect(plane.API.Delete(ctx, link)).To(Succeed(), "taking the link away again")
	}
}

// linkSecret and sessionSecret name the Secrets of a sign-in token and of a state.
func linkSecret(token string) string    { return "sign-in-token-" + hashOf(token) }
func sessionSecret(state string) string { return "sign-in-" + hashOf(state) }

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// digest stands for a secret in what a failing spec prints. That of nothing is nothing.
func digest(secret string) string {
	if secret == "" {
		return ""
	}
	return hashOf(secret)[:16]
}

// reason is that of Ready.
func (c *customer) reason(ctx context.Context) string {
	if plane.API.Get(ctx, client.ObjectKeyFromObject(c.connection), c.connection) != nil {
		return ""
	}
	if ready := meta.FindStatusCondition(c.connection.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

// accessToken is the one in the output Secret.
func (c *customer) accessToken(ctx context.Context) string {
	secret := &corev1.Secret{}
	if plane.API.Get(ctx, keyOf(c.connection), secret) != nil {
		return ""
	}
	return string(secret.Data["access_token"])
}

// published stands for the access token in the output Secret.
func (c *customer) published(ctx context.Context) string { return digest(c.accessToken(ctx)) }

// expectConnected waits until the output Secret holds a token that the provider takes, and gives what stands for it.
func (c *customer) expectConnected(ctx context.Context) string {
	GinkgoHelper()
	Eventually(func() bool { return c.AccessLive(c.accessToken(ctx)) }).Should(BeTrue(), "the Secret holds a token that the provider takes")
	Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonConnected))
	return c.published(ctx)
}

// kept is what is kept of the grant now.
func (c *customer) kept(ctx context.Context) connector.Kept {
	GinkgoHelper()
	kept, err := kube.Grants{Client: plane.API, Live: plane.API, Namespace: config.ConnectionsNamespace}.Load(ctx, string(c.connection.UID))
	Expect(err).NotTo(HaveOccurred())
	return kept
}

// grant stands for what is kept of the grant, and of a sign-in that waits to be confirmed. Nothing else is ever published, so that
// while it stays the same nothing has come of a sign-in, and nothing will.
func (c *customer) grant(ctx context.Context) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	key := kube.Grants{Namespace: config.ConnectionsNamespace}.Key(string(c.connection.UID))
	Expect(plane.API.Get(ctx, key, secret)).To(Succeed())
	return digest(string(secret.Data[v1alpha1.SecretKeyRecord]) + "\n" + string(secret.Data[v1alpha1.SecretKeyPending]))
}

// expectUntouched sees that nothing was connected.
func (c *customer) expectUntouched(ctx context.Context) {
	GinkgoHelper()
	Expect(c.grant(ctx)).To(Equal(c.untouched), "nothing is kept of a grant")
	Expect(c.reason(ctx)).To(Equal(v1alpha1.ReasonSignInRequired))
	Expect(c.published(ctx)).To(BeEmpty())
}

// patch changes an object.
func patch[T client.Object](ctx context.Context, object T, change func(T)) {
	GinkgoHelper()
	harness.Patch(ctx, plane, object, change)
}

// signInSecrets names the Secrets of the account's sign-ins.
func (c *customer) signInSecrets(ctx context.Context) []string {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(plane.API.List(ctx, &secrets, client.InNamespace(config.ConnectionsNamespace),
		client.MatchingLabels{v1alpha1.LabelSecret: v1alpha1.PurposeSignIn})).To(Succeed())
	var mine []string
	for _, secret := range secrets.Items {
		var of struct{ AccountID string }
		Expect(json.Unmarshal(secret.Data[v1alpha1.SecretKeySignIn], &of) == nil).To(BeTrue(), "a Secret of a sign-in is JSON")
		if of.AccountID == c.name {
			mine = append(mine, secret.Name)
		}
	}
	slices.Sort(mine)
	return mine
}
