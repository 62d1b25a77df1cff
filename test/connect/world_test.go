// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
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
}

// id is the AccountConnectorID.
func (c *customer) id() string { return c.name + ".crm" }

// newCustomer makes one, and waits until a user can sign in. change may change the objects before they are created.
func newCustomer(ctx context.Context, options provider.Options, change func(*customer)) *customer {
	GinkgoHelper()
	c := &customer{Provider: startProvider(options), name: fresh()}
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
	Eventually(c.reason).WithArguments(ctx).Should(BeElementOf(v1alpha1.ReasonSignInRequired, v1alpha1.ReasonSuspended))
	return c
}

func startProvider(options provider.Options) *provider.Provider {
	GinkgoHelper()
	started := provider.Start(options)
	DeferCleanup(started.Close)
	return started
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
	if plane.API.Get(ctx, client.ObjectKey{Namespace: c.name, Name: "crm"}, secret) != nil {
		return ""
	}
	return string(secret.Data["access_token"])
}

// expectConnected waits until the output Secret holds a token that the provider takes.
func (c *customer) expectConnected(ctx context.Context) string {
	GinkgoHelper()
	Eventually(func() bool { return c.AccessLive(c.accessToken(ctx)) }).Should(BeTrue(), "the Secret holds a token that the provider takes")
	Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonConnected))
	return c.accessToken(ctx)
}

// expectUntouched sees that nothing was connected.
func (c *customer) expectUntouched(ctx context.Context) {
	GinkgoHelper()
	Consistently(c.reason).WithArguments(ctx).WithTimeout(300 * time.Millisecond).Should(Equal(v1alpha1.ReasonSignInRequired))
	Expect(c.accessToken(ctx)).To(BeEmpty())
}

// patch changes an object.
func patch[T client.Object](ctx context.Context, object T, change func(T)) {
	GinkgoHelper()
	harness.Patch(ctx, plane, object, change)
}

// signInSecrets counts the Secrets of sign-ins.
func signInSecrets(ctx context.Context) int {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(plane.API.List(ctx, &secrets, client.InNamespace(config.ConnectionsNamespace),
		client.MatchingLabels{v1alpha1.LabelSecret: v1alpha1.PurposeSignIn})).To(Succeed())
	return len(secrets.Items)
}
