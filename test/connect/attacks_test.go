// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/leak"
	"github.com/claviger/claviger/test/provider"
)

func keyOf(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }

var _ = Describe("a link", func() {
	DescribeTable("that is none is told so, without a word of what it brought", func(ctx context.Context, change func(*customer, url.Values), status int, problem string) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link, err := url.Parse(c.link())
		Expect(err).NotTo(HaveOccurred())
		query, before := link.Query(), c.signInSecrets(ctx)
		change(c, query)
		b := newBrowser(connect)
		for _, answer := range []harness.Answer{b.get(link.Path + "?" + query.Encode()), b.post(query)} {
			Expect(problemOn(answer)).To(Equal(problem))
			Expect(answer.Status).To(Equal(status))
			Expect(strings.Contains(answer.Body, "evil")).To(BeFalse(), "it quotes what was sent")
			expectNowhere(answer)
		}
		Expect(c.signInSecrets(ctx)).To(Equal(before), "nothing is used up, and nothing begun")
		Expect(c.Requests()).To(BeEmpty())
	},
		Entry("without a token", func(_ *customer, q url.Values) { q.Del("token") }, 400, "link_invalid"),
		Entry("without an id", func(_ *customer, q url.Values) { q.Del("id") }, 400, "link_invalid"),
		Entry("without a target", func(_ *customer, q url.Values) { q.Del("targetOrigin") }, 400, "link_invalid"),
		Entry("with two targets", func(_ *customer, q url.Values) { q.Add("targetOrigin", "https://evil.example") }, 400, "link_invalid"),
		Entry("with a token of another form", func(_ *customer, q url.Values) { q.Set("token", "evil/../x") }, 400, "link_invalid"),
		Entry("with a token that never was", func(_ *customer, q url.Values) { q.Set("token", "evil567890123456789012345678901234567890123") }, 410, "link_dead"),
		Entry("with the id of nothing", func(_ *customer, q url.Values) { q.Set("id", "evil.crm") }, 400, "link_invalid"),
	)

	It("works once", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		newBrowser(connect).signIn(link)
		answer := newBrowser(second).get(link)
		Expect(answer.Status).To(Equal(http.StatusGone))
		Expect(problemOn(answer)).To(Equal("link_dead"))
	})

	It("that is none is tried no more often than the budget of an address has", func(ctx context.Context) {
		third := plane.StartConnect(tokens, func(o *app.ConnectOptions) {
			o.Clock, o.ConnectURL, o.Attempts = clock.Now, connect.URL, limit.Budget{Burst: 3, Every: time.Hour}
		})
		c := newCustomer(ctx, provider.Options{}, nil)
		link, b := c.link(), newBrowser(third)
		Eventually(func() string { return problemOn(b.get(link)) }).Should(BeEmpty())
		guess := linkOf(c.id(), strings.Repeat("a", 43), hostPage)
		for range 3 {
			Expect(problemOn(b.get(guess))).To(Equal("link_dead"))
		}
		for _, address := range []string{guess, link} {
			answer := b.get(address)
			Expect(problemOn(answer)).To(Equal("too_many"))
			Expect(answer.Status).To(Equal(http.StatusTooManyRequests))
			Expect(answer.Header.Get("Retry-After")).To(Equal("60"))
		}
		Expect(problemOn(b.post(queryOf(link)))).To(Equal("too_many"))

		By("waiting for one more")
		DeferCleanup(clock.Advance, -time.Hour)
		clock.Advance(time.Hour)
		link = c.link()
		Expect(problemOn(b.get(link))).To(BeEmpty())
		Expect(problemOn(b.get(guess))).To(Equal("link_dead"))
		Expect(problemOn(b.get(link))).To(Equal("too_many"))
	})

	It("works for five minutes", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		DeferCleanup(clock.Advance, -6*time.Minute)
		clock.Advance(6 * time.Minute)
		Expect(problemOn(newBrowser(connect).get(link))).To(Equal("link_dead"))
	})

	It("of another account opens nothing, and tells nothing", func(ctx context.Context) {
		mine, theirs := newCustomer(ctx, provider.Options{}, nil), newCustomer(ctx, provider.Options{}, nil)
		answer := newBrowser(connect).get(linkOf(theirs.id(), mine.signInToken(), hostPage))
		Expect(problemOn(answer)).To(Equal("link_invalid"))
		Expect(named(answer.Body, "Example CRM")).To(BeFalse())
	})

	It("opens nothing in a namespace that was taken from the account", func(ctx context.Context) {
		theirs := newCustomer(ctx, provider.Options{}, nil)
		mine := newCustomer(ctx, provider.Options{}, func(c *customer) {
			c.account.Spec.Namespaces.Names = append(c.account.Spec.Namespaces.Names, theirs.name)
		})
		smuggled := mine.another("smuggled")
		smuggled.Namespace, smuggled.Spec.Properties = theirs.name, theirs.connection.Spec.Properties
		plane.Create(ctx, smuggled)
		link := linkOf(theirs.name+".smuggled", mine.signInToken(), hostPage)
		for _, replica := range []*harness.Connect{connect, second} {
			Eventually(func() int { return newBrowser(replica).get(link).Status }).Should(Equal(http.StatusOK), "while the account has the namespace")
		}
		b := newBrowser(connect)
		form := formOf(b.get(link).Body)
		patch(ctx, mine.account, func(a *v1alpha1.Account) { a.Spec.Namespaces.Names = a.Spec.Namespaces.Names[:1] })
		Eventually(func() string { return problemOn(b.get(link)) }).Should(Equal("link_invalid"))
		Expect(problemOn(b.post(form))).To(Equal("link_invalid"))
		address := connect.URL + "/v1.0/accounts/" + mine.name + "/connectors/" + theirs.name + ".smuggled"
		Expect(call(http.MethodGet, address, consoleToken(), "").Status).To(Equal(http.StatusNotFound))
		Expect(call(http.MethodPut, address, consoleToken(), fields("AuthValue", `{"RefreshToken":"planted"}`)).Status).To(Equal(http.StatusNotFound))
		Expect(append(mine.Requests(), theirs.Requests()...)).To(BeEmpty())
	})

	It("is nothing for a user who was taken off the account's list since, whether its page is open or not", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, func(c *customer) { c.account.Spec.Users = []v1alpha1.UserName{"jane", "joe"} })
		link, b := c.link(), newBrowser(connect)
		form := formOf(b.get(link).Body)
		patch(ctx, c.account, func(a *v1alpha1.Account) { a.Spec.Users = []v1alpha1.UserName{"joe"} })
		Eventually(func() string { return problemOn(b.get(link)) }).Should(Equal("link_dead"))
		answer := b.post(form)
		Expect(problemOn(answer)).To(Equal("link_dead"))
		expectNowhere(answer)
		Expect(c.Requests()).To(BeEmpty())
		Expect(problemOn(b.get(linkOf(c.id(), c.signInToken("Username", "joe"), hostPage)))).To(BeEmpty(), "and joe is there still")
	})

	It("is for the connection, the target and the message that it was made for, where it was", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		token := c.signInToken("AccountConnectorId", c.id(), "TargetOrigin", hostOrigin, "CallbackMessage", "done")
		for _, link := range []string{
			linkOf(c.id(), token, hostPage, "callbackMessage", "done"),
			linkOf(c.id(), token, hostOrigin, "callbackMessage", "other"),
			linkOf(c.name+".other", token, hostOrigin, "callbackMessage", "done"),
		} {
			Expect(problemOn(newBrowser(connect).get(link))).To(Equal("link_invalid"))
		}
		Expect(newBrowser(connect).signIn(linkOf(c.id(), token, hostOrigin)).Path).To(HaveSuffix("/completed"), "what is fixed need not be said again")
	})

	It("is for a connection that can be used", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		patch(ctx, c.connection, func(a *v1alpha1.AccountConnector) { a.Spec.Suspend = true })
		Eventually(func() string { return problemOn(newBrowser(connect).get(link)) }).Should(Equal("not_ready"))
		answer := newBrowser(connect).get(link)
		Expect(answer.Status).To(Equal(http.StatusConflict))
		Expect(named(answer.Body, "Example CRM")).To(BeTrue(), "whose support to ask")
	})

	It("cannot be pressed by a page of another site", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		form := formOf(b.get(c.link()).Body)
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
		} {
			answer := b.post(form, headers...)
			Expect(answer.Status).To(Equal(http.StatusForbidden), "with %v", headers)
			Expect(problemOn(answer)).To(Equal("cross_site"))
		}
		Expect(problemOn(newBrowser(connect).post(form, "Origin", "null"))).To(Equal("cross_site"), "which the cookie does not go along with")
		Expect(b.post(form, "Origin", "null").Status).To(Equal(http.StatusSeeOther), "as our own pages ask a browser to say")
	})

	It("ends nowhere that its connection does not name, where it names some", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, func(c *customer) {
			c.target = "https://library.example/"
			c.library.Spec.AllowedOrigins = []v1alpha1.Origin{"https://library.example"}
			c.connection.Spec.AllowedOrigins = []v1alpha1.Origin{"https://library.example", "https://evil.example"}
		})
		for target, problem := range map[string]string{
			hostPage: "target_not_allowed", "https://evil.example/": "target_not_allowed", "https://library.example/": "",
		} {
			Expect(problemOn(newBrowser(connect).get(linkOf(c.id(), c.signInToken(), target)))).To(Equal(problem), target)
		}
	})
})

var _ = Describe("an answer of a provider", func() {
	It("is nothing in another browser, and still good in the one that asked", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		for range 2 {
			answer := newBrowser(second).back(back)
			Expect(answer.Status).To(Equal(http.StatusForbidden))
			Expect(problemOn(answer)).To(Equal("other_browser"))
		}
		Expect(exchanges(c.Provider)).To(BeZero())
		Expect(b.back(back).Status).To(Equal(http.StatusSeeOther))
		c.expectConnected(ctx)
	})

	It("is nothing at the callback of another Connector", func(ctx context.Context) {
		mine, evil := newCustomer(ctx, provider.Options{}, nil), newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(mine.link()))
		back.Path = "/connectorauth/callback/" + evil.name
		Expect(problemOn(b.back(back))).To(Equal("state_unknown"))
		Expect(exchanges(evil.Provider)).To(BeZero(), "no provider sees another's code")
		Expect(exchanges(mine.Provider)).To(BeZero())
	})

	It("with an iss that is not its own is not believed, whatever it says", func(ctx context.Context) {
		for _, consent := range []provider.Consent{provider.Approves, provider.Denies} {
			c := newCustomer(ctx, provider.Options{Iss: provider.IssWrong, Consent: consent}, func(c *customer) {
				c.library.Spec.Issuer = v1alpha1.ConnectorURL(c.URL)
			})
			Expect(newBrowser(connect).signIn(c.link()).Query().Get("error")).To(Equal("provider_error"))
			Expect(exchanges(c.Provider)).To(BeZero())
			c.expectUntouched(ctx)
		}
	})

	It("with its own iss is", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Iss: provider.IssRight}, func(c *customer) { c.library.Spec.Issuer = v1alpha1.ConnectorURL(c.URL) })
		expectHost(newBrowser(connect).signIn(c.link()))
		c.expectConnected(ctx)
	})

	DescribeTable("that is none", func(ctx context.Context, change func(url.Values)) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		query := back.Query()
		change(query)
		back.RawQuery = query.Encode()
		Expect(problemOn(b.back(back))).To(Equal("state_unknown"))
		Expect(exchanges(c.Provider)).To(BeZero())
	},
		Entry("without a state", func(q url.Values) { q.Del("state") }),
		Entry("with two states", func(q url.Values) { q.Add("state", q.Get("state")) }),
		Entry("with two codes", func(q url.Values) { q.Add("code", "other") }),
		Entry("with a state that never was", func(q url.Values) { q.Set("state", "evil567890123456789012345678901234567890123") }),
		Entry("with a state that is a path", func(q url.Values) { q.Set("state", "../../secrets") }),
	)

	It("comes in a quarter of an hour, or too late", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		DeferCleanup(clock.Advance, -16*time.Minute)
		clock.Advance(16 * time.Minute)
		Expect(problemOn(b.back(back))).To(Equal("state_unknown"))
	})

	DescribeTable("connects nothing that is another than the one that the user began with", func(ctx context.Context, change func(context.Context, *customer), problem string) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		change(ctx, c)
		before := c.grant(ctx)
		Expect(location(b.back(back)).Query().Get("error")).To(Equal(problem))
		Expect(exchanges(c.Provider)).To(BeZero())
		Expect(c.grant(ctx)).To(Equal(before))
	},
		Entry("where its user was taken off the list", takeUserAway, "connection_changed"),
		Entry("where it was deleted and made anew", makeAnew, "connection_changed"),
		Entry("where it has another client", changeClient, "connection_changed"),
		Entry("where it was suspended", suspend, "not_ready"),
	)

	It("is told to no origin that was taken off the list while the user signed in", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		link := c.link()
		patch(ctx, c.account, func(a *v1alpha1.Account) { a.Spec.AllowedOrigins = nil })
		Eventually(func() string { return problemOn(newBrowser(connect).get(link)) }).Should(Equal("target_not_allowed"))
		answer := b.back(back)
		Expect(problemOn(answer)).To(Equal("target_not_allowed"))
		Expect(exchanges(c.Provider)).To(BeZero())
	})
})

func takeUserAway(ctx context.Context, c *customer) {
	GinkgoHelper()
	patch(ctx, c.account, func(a *v1alpha1.Account) { a.Spec.Users = []v1alpha1.UserName{"joe"} })
	Eventually(func() int {
		status, _ := c.askSignInToken(connect)
		return status
	}).Should(Equal(http.StatusBadRequest))
}

func makeAnew(ctx context.Context, c *customer) {
	GinkgoHelper()
	Expect(plane.API.Delete(ctx, c.connection)).To(Succeed())
	Eventually(func() bool {
		return apierrors.IsNotFound(plane.API.Get(ctx, keyOf(c.connection), &v1alpha1.AccountConnector{}))
	}).Should(BeTrue())
	c.connection = c.another(c.connection.Name)
	plane.Create(ctx, c.connection)
	Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonSignInRequired))
	c.expectKnownTo(ctx, connect)
}

func changeClient(ctx context.Context, c *customer) {
	GinkgoHelper()
	patch(ctx, c.connection, func(a *v1alpha1.AccountConnector) { a.Spec.Properties[0].Value = "another-app" })
	Eventually(func() string { return newBrowser(connect).follow(c.link()).Query().Get("client_id") }).Should(Equal("another-app"))
}

func suspend(ctx context.Context, c *customer) {
	GinkgoHelper()
	link := c.link()
	patch(ctx, c.connection, func(a *v1alpha1.AccountConnector) { a.Spec.Suspend = true })
	Eventually(func() string { return problemOn(newBrowser(connect).get(link)) }).Should(Equal("not_ready"))
}

var _ = Describe("the connect role's own Secrets", func() {
	It("hold hashes of sign-in tokens and states, and no sign-in token or state", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		token := c.signInToken()
		state := newBrowser(connect).follow(c.link()).Query().Get("state")
		plane.Ledger.Add(state)
		var secrets corev1.SecretList
		Expect(plane.API.List(ctx, &secrets, client.InNamespace(config.ConnectionsNamespace))).To(Succeed())
		Expect(secrets.Items).NotTo(BeEmpty(), "or this proves nothing")
		for i := range secrets.Items {
			text, err := json.Marshal(secrets.Items[i])
			Expect(err).NotTo(HaveOccurred())
			decoded := string(text) + string(secrets.Items[i].Data[v1alpha1.SecretKeySignIn])
			Expect(leak.Holds(decoded, token) || leak.Holds(decoded, state)).To(BeFalse(), "Secret %s holds a sign-in token or a state", secrets.Items[i].Name)
		}
	})
})
