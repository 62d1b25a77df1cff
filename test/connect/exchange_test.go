// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/provider"
)

// exchangeFails goes through a sign-in whose code meets a fault, and sees that the host is told so, and that what was kept is kept.
func (c *customer) exchangeFails(ctx context.Context, fault provider.Fault) {
	GinkgoHelper()
	before, asked := c.grant(ctx), exchanges(c.Provider)
	b := newBrowser(connect)
	back := b.agree(b.follow(c.link()))
	c.CloseClientConnections() // so that one that is reset is that of the exchange
	c.Fail(fault)
	end := location(b.back(back))
	Expect(end.Query().Get("error")).To(Equal("exchange_failed"))
	Expect(end.Query().Get("error_description")).NotTo(BeEmpty())
	Expect(end.Host + end.Path).To(Equal("app.acme.example/done"))
	Expect(c.grant(ctx)).To(Equal(before), "what is kept stays, and no grant is half made")
	Expect(exchanges(c.Provider)-asked).To(BeNumerically("<=", 1), "a code is presented once")
	Expect(problemOn(b.back(back))).To(Equal("state_unknown"), "and not again")
	Expect(c.signInSecrets(ctx)).To(BeEmpty())
}

var _ = Describe("the exchange of a code", func() {
	DescribeTable("that fails is told to the host, and leaves what there was", func(ctx context.Context, fault provider.Fault) {
		c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
		By("where nobody has signed in before")
		c.exchangeFails(ctx, fault)
		c.expectUntouched(ctx)

		By("where somebody has")
		expectHost(newBrowser(connect).signIn(c.link()))
		token := c.expectConnected(ctx)
		c.exchangeFails(ctx, fault)
		Expect(c.published(ctx)).To(Equal(token))
		c.expectLive(ctx)
		c.expectToConnectAgain(ctx)
	},
		Entry("where the provider fails", provider.FailsBefore()),
		Entry("where it fails once it has used the code up", provider.FailsAfter()),
		Entry("where its answer of 200 is cut short", provider.Truncates()),
		Entry("where its answer is nonsense", provider.Garbles()),
		Entry("where it does not take the client", provider.RefusesClient()),
		Entry("where it refuses the code", provider.Refuses("invalid_grant")),
		Entry("where it refuses the request", provider.Refuses("invalid_request")),
		Entry("where it resets the connection before it reads", provider.ResetsUnread()),
		Entry("where it resets the connection before it does anything", provider.ResetsBefore()),
		Entry("where it resets the connection when all is done", provider.ResetsAfter()),
		Entry("where it has had too many requests", provider.TooMany(time.Minute)),
		Entry("where it is not available", provider.Unavailable(time.Minute)),
		Entry("where its tokens are where nobody looks for them", provider.Nests("deep.down")),
	)

	It("that is never answered is told to the host within half a minute", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		c.exchangeFails(ctx, provider.Stalls())
		c.expectUntouched(ctx)
		c.expectToConnectAgain(ctx)
	})

	It("that is sent on elsewhere goes nowhere", func(ctx context.Context) {
		var asked atomic.Int64
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		DeferCleanup(elsewhere.Close)
		c := newCustomer(ctx, provider.Options{}, nil)
		c.exchangeFails(ctx, provider.Redirects(elsewhere.URL+"/token"))
		Expect(asked.Load()).To(BeZero(), "the code and the client's secret are sent to nobody else")
		c.expectUntouched(ctx)
	})

	DescribeTable("that is answered in an odd way connects the account", func(ctx context.Context, fault provider.Fault, change func(*customer)) {
		c := newCustomer(ctx, provider.Options{}, change)
		c.Fail(fault)
		expectHost(newBrowser(connect).signIn(c.link()))
		c.expectConnected(ctx)
		c.expectLive(ctx)
	},
		Entry("by a form", provider.AnswersForm(), nil),
		Entry("without expires_in", provider.OmitsExpiresIn(), nil),
		Entry("with the tokens where the Connector says", provider.Nests("data.oauth"), func(c *customer) { c.library.Spec.TokenResponsePath = "data.oauth" }),
	)

	It("that takes its time connects the account when it is answered", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		release := make(chan struct{})
		c.Fail(provider.Waits(release))
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		arrived := make(chan struct{})
		c.Watch(func(step provider.Step) {
			if step == provider.Done {
				close(arrived)
			}
		})
		answered := make(chan string, 1)
		go func() {
			defer GinkgoRecover()
			answered <- location(b.back(back)).Query().Get("error")
		}()
		Eventually(arrived).Should(BeClosed())
		c.Watch(nil)
		Expect(problemOn(newBrowser(second).back(back))).To(Equal("other_browser"), "while it lasts nobody else's answer counts")
		other := &visitor{Client: b.Client, replica: second}
		Expect(problemOn(other.back(back))).To(Equal("state_unknown"))
		c.expectUntouched(ctx)
		close(release)
		Eventually(answered).Should(Receive(BeEmpty()))
		c.expectConnected(ctx)
		Expect(exchanges(c.Provider)).To(Equal(1))
	})

	It("is for the redirect URI that is registered, and no other", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		at := b.follow(c.link())
		plane.Ledger.Add(at.Query().Get("state"))
		for _, other := range []string{c.redirectURI() + "/", c.redirectURI() + "x", "https://evil.example/", second.URL + "/connectorauth/callback/" + c.name} {
			query := at.Query()
			query.Set("redirect_uri", other)
			Expect(b.get(c.URL+provider.PathAuthorize+"?"+query.Encode()).Status).To(Equal(http.StatusBadRequest), other)
		}
		expectHost(location(b.back(b.agree(at))))
	})
})

// pkcs8 gives a private key as the app registration has it.
func pkcs8(key crypto.Signer) string {
	GinkgoHelper()
	text, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

var _ = Describe("a client that signs assertions", func() {
	// registered has the provider know a key, and the Connector have the registration with another one or the same.
	registered := func(ctx context.Context, known, ours crypto.Signer) *customer {
		GinkgoHelper()
		return newCustomer(ctx, provider.Options{Auth: provider.PrivateKeyJWT, ClientKey: known.Public()}, func(c *customer) {
			registration := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: c.name},
				StringData: map[string]string{"client_id": provider.ClientID, "key_id": "ours", "private_key": pkcs8(ours)},
			}
			plane.Create(ctx, registration)
			c.library.Spec.AuthStyle, c.library.Spec.Client = v1alpha1.AuthStylePrivateKeyJWT, v1alpha1.ClientShared
			c.library.Spec.ClientSecretRef = &v1alpha1.ConnectionsSecretReference{Name: c.name}
			c.connection.Spec.Properties = nil
		})
	}
	rsaKey := func() crypto.Signer {
		GinkgoHelper()
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		Expect(err).NotTo(HaveOccurred())
		return key
	}
	ecKey := func() crypto.Signer {
		GinkgoHelper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		Expect(err).NotTo(HaveOccurred())
		return key
	}

	DescribeTable("exchanges a code", func(ctx context.Context, make func() crypto.Signer) {
		key := make()
		c := registered(ctx, key, key)
		expectHost(newBrowser(connect).signIn(c.link()))
		c.expectConnected(ctx)
		c.expectToConnectAgain(ctx) // by another assertion: the provider takes each once
	}, Entry("with a key for RSA", rsaKey), Entry("with a key for ECDSA", ecKey))

	It("exchanges none with a key that the provider does not know", func(ctx context.Context) {
		c := registered(ctx, rsaKey(), rsaKey())
		Expect(newBrowser(connect).signIn(c.link()).Query().Get("error")).To(Equal("exchange_failed"))
		c.expectUntouched(ctx)
	})
})
