// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = It("Claviger is a provider, too: its own client has a live token, which is replaced in time", func(ctx context.Context) {
	clock := &harness.Clock{}
	plane.StartManagerWith(reaching(clock))
	tokens := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Clock = clock.Now })
	name := home(ctx)
	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name), builder.TokenMinutes(10))
	plane.Create(ctx, orders)
	Eventually(tokens.Accepts).WithArguments(plane.ExpectReady(ctx, orders)).Should(BeTrue())
	from := func(key string) *v1alpha1.SecretValueSource {
		return &v1alpha1.SecretValueSource{SecretKeyRef: v1alpha1.SecretKeyReference{Name: "orders", Key: v1alpha1.SecretKey(key)}}
	}
	plane.Create(ctx, &v1alpha1.Connector{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ConnectorSpec{
		DisplayName: "Claviger", Grant: v1alpha1.GrantClientCredentials, AuthStyle: v1alpha1.AuthStylePost,
		TokenURL: v1alpha1.ConnectorURL(tokens.URL + server.PathToken), Scopes: []v1alpha1.ProviderScope{"Webhook"},
	}})
	self := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "self"}, Spec: v1alpha1.AccountConnectorSpec{
		AccountRef: v1alpha1.AccountReference{Name: name}, ConnectorRef: v1alpha1.ConnectorReference{Name: name},
		Properties: []v1alpha1.AccountProperty{{Name: "ClientId", ValueFrom: from("client_id")}, {Name: "ClientSecret", ValueFrom: from("client_secret")}},
	}}
	plane.Create(ctx, self)
	Eventually(func() bool { return ready(read(ctx, self)) }).Should(BeTrue())
	verify := func(token string) int { return tokens.Verify(token, "scope=Webhook&account="+name).Status }

	before := published(ctx, self)
	Expect(verify(before)).To(Equal(http.StatusOK))
	clock.Advance(7 * time.Minute)
	nudge(ctx, self)
	Eventually(func() bool { return published(ctx, self) != before }).Should(BeTrue(), "another token is published before the first expires")
	Expect(verify(published(ctx, self))).To(Equal(http.StatusOK))
	clock.Advance(4 * time.Minute)
	Expect(verify(before)).To(Equal(http.StatusUnauthorized))
	Expect(verify(published(ctx, self))).To(Equal(http.StatusOK))
})
