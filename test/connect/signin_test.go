// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/provider"
)

var _ = Describe("a sign-in", func() {
	It("connects an account, and ends at the host's page", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
		Expect(newBrowser(connect).signIn(c.link()).String()).To(Equal(hostPage))
		token := c.expectConnected(ctx)
		Expect(c.connection.Status.AuthorizedBy).To(Equal("jane"))
		Expect(c.connection.Status.AuthorizedAt).NotTo(BeNil())

		By("signing in once more: the same object, the same Secret")
		Expect(newBrowser(connect).signIn(c.link()).String()).To(Equal(hostPage))
		Eventually(c.accessToken).WithArguments(ctx).ShouldNot(Equal(token))
		c.expectConnected(ctx)
	})

	It("asks for what the Connector says, bound to this sign-in", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, func(c *customer) {
			c.library.Spec.AuthorizationParameters = map[string]v1alpha1.ParameterValue{"access_type": "offline"}
		})
		asked := newBrowser(connect).follow(c.link()).Query()
		plane.Ledger.Add(asked.Get("state"))
		Expect(asked).To(HaveKeyWithValue("response_type", []string{"code"}))
		Expect(asked).To(HaveKeyWithValue("client_id", []string{provider.ClientID}))
		Expect(asked).To(HaveKeyWithValue("redirect_uri", []string{connect.URL + connectapi.PathCallback + c.name}))
		Expect(asked).To(HaveKeyWithValue("scope", []string{"crm.read crm.write"}))
		Expect(asked).To(HaveKeyWithValue("access_type", []string{"offline"}))
		Expect(asked).To(HaveKeyWithValue("code_challenge_method", []string{"S256"}))
		Expect(asked.Get("code_challenge")).To(HaveLen(43))
		Expect(asked.Get("state")).To(HaveLen(43))
		Eventually(func() string {
			_ = plane.API.Get(ctx, keyOf(c.library), c.library)
			return c.library.Status.RedirectURI
		}).Should(Equal(asked.Get("redirect_uri")), "which is what the app registration must have")
	})

	It("names the application, the account and the user, and uses nothing up before its button is pressed", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		for range 3 { // scanners, prefetches
			page := newBrowser(connect).get(link)
			Expect(page.Status).To(Equal(http.StatusOK))
			Expect(page.Body).To(And(ContainSubstring("Example CRM"), ContainSubstring("Acme Ltd"), ContainSubstring("jane"), ContainSubstring("app.acme.example")))
			Expect(page.Header.Get("Referrer-Policy")).To(Equal("no-referrer"))
			Expect(page.Header.Get("Cache-Control")).To(Equal("no-store"))
			Expect(page.Header.Get("Content-Security-Policy")).To(ContainSubstring("frame-ancestors " + hostOrigin))
		}
		Expect(newBrowser(second).signIn(link).String()).To(Equal(hostPage))
	})

	It("goes through any replica at each step", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		page := b.get(c.link())
		b.replica = second
		answer := b.post(formOf(page.Body))
		Expect(answer.Status).To(Equal(http.StatusSeeOther), answer.Body)
		back := b.agree(location(answer))
		Expect(b.back(back).Status).To(Equal(http.StatusSeeOther))
		c.expectConnected(ctx)
	})

	It("tells the host that the user refused", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Consent: provider.Denies}, nil)
		end := newBrowser(connect).signIn(c.link())
		Expect(end.Query().Get("error")).To(Equal("access_denied"))
		Expect(end.Query().Get("error_description")).NotTo(BeEmpty())
		Expect(end.Query().Get("tab")).To(Equal("crm"), "what the host had in its URL is there still")
		c.expectUntouched(ctx)
	})

	DescribeTable("ends with an error that the host is told, and keeps what there was", func(ctx context.Context, fault provider.Fault, problem string) {
		c := newCustomer(ctx, provider.Options{}, nil)
		newBrowser(connect).signIn(c.link())
		token := c.expectConnected(ctx)
		c.Fail(fault)
		Expect(newBrowser(connect).signIn(c.link()).Query().Get("error")).To(Equal(problem))
		Consistently(c.accessToken).WithArguments(ctx).WithTimeout(quick).Should(Equal(token))
	},
		Entry("where the provider fails", provider.FailsBefore(), "exchange_failed"),
		Entry("where it fails once it has used the code up", provider.FailsAfter(), "exchange_failed"),
		Entry("where its answer is cut short", provider.Truncates(), "exchange_failed"),
		Entry("where its answer is nonsense", provider.Garbles(), "exchange_failed"),
		Entry("where it does not take the client", provider.RefusesClient(), "exchange_failed"),
		Entry("where it refuses the code", provider.Refuses("invalid_grant"), "exchange_failed"),
		Entry("where it sends the request on", provider.Redirects("http://127.0.0.1:1/"), "exchange_failed"),
		Entry("where it resets the connection", provider.ResetsAfter(), "exchange_failed"),
	)

	It("takes an answer once: a reloaded callback is nothing", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		Expect(b.back(back).Status).To(Equal(http.StatusSeeOther))
		again := b.back(back)
		Expect(again.Status).To(Equal(http.StatusBadRequest))
		Expect(problemOn(again)).To(Equal("state_unknown"))
		Expect(exchanges(c.Provider)).To(Equal(1))
		c.expectConnected(ctx)
	})

	It("takes one of many answers that come in the same instant", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		back := b.agree(b.follow(c.link()))
		other := &visitor{Client: b.Client, replica: second}
		statuses := make(chan int, 20)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				defer GinkgoRecover()
				if i%2 == 0 {
					statuses <- b.back(back).Status
				} else {
					statuses <- other.back(back).Status
				}
			})
		}
		all.Wait()
		close(statuses)
		good := 0
		for status := range statuses {
			if status == http.StatusSeeOther {
				good++
			}
		}
		Expect(good).To(Equal(1))
		Expect(exchanges(c.Provider)).To(Equal(1))
		c.expectConnected(ctx)
	})

	It("leaves no Secret behind", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		before := signInSecrets(ctx)
		newBrowser(connect).signIn(c.link())
		Expect(signInSecrets(ctx)).To(Equal(before))
	})

	It("is told apart from one that is ready by GET", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		state := func() map[string]any {
			answer := call(http.MethodGet, connect.URL+"/v1.0/accounts/"+c.name+"/connectors/"+c.id(), consoleToken(), "")
			Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
			object := map[string]any{}
			Expect(json.Unmarshal([]byte(answer.Body), &object)).To(Succeed())
			return object
		}
		Expect(state()).To(And(HaveKeyWithValue("State", "SignInRequired"), HaveKeyWithValue("Ready", false), HaveKeyWithValue("Id", c.id())))
		newBrowser(connect).signIn(c.link())
		Expect(state()).To(And(HaveKeyWithValue("State", "Connected"), HaveKeyWithValue("AuthorizedBy", "jane")), "at once: it is what is kept, and no cache")
		Eventually(state).Should(And(HaveKeyWithValue("Ready", true), HaveKeyWithValue("Reason", v1alpha1.ReasonConnected)))
	})
})

var _ = Describe("a sign-in that ends with a message to the window that opened it", func() {
	// completed goes through it, and gives what the page posts, and where.
	completed := func(c *customer, b *visitor) (any, map[string]string, string) {
		GinkgoHelper()
		end := b.signIn(linkOf(c.id(), c.signInToken(), hostOrigin, "callbackMessage", `crm "connected"`))
		Expect(end.Path).To(Equal(connectapi.PathCompleted), "neither code nor state are in the URL of the page")
		page := b.get(end.RequestURI())
		Expect(page.Status).To(Equal(http.StatusOK), page.Body)
		var outcome map[string]string
		each(page.Body, "div", func(attributes map[string]string) {
			if attributes["id"] == "outcome" {
				outcome = attributes
			}
		})
		var message any
		Expect(json.Unmarshal([]byte(outcome["data-message"]), &message)).To(Succeed())
		return message, outcome, end.RequestURI()
	}

	It("posts that message, to exactly that origin", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		message, outcome, page := completed(c, b)
		Expect(message).To(Equal(`crm "connected"`))
		Expect(outcome).To(HaveKeyWithValue("data-origin", hostOrigin))
		c.expectConnected(ctx)

		By("reloading the page, and looking at it from another browser")
		Expect(b.get(page).Status).To(Equal(http.StatusOK))
		Expect(problemOn(newBrowser(connect).get(page))).To(Equal("other_browser"))
	})

	It("posts an error with it", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Consent: provider.Denies}, nil)
		message, _, _ := completed(c, newBrowser(second))
		Expect(message).To(And(
			HaveKeyWithValue("callbackMessage", `crm "connected"`), HaveKeyWithValue("error", "access_denied"), HaveKey("error_description")))
		c.expectUntouched(ctx)
	})

	It("needs an origin, and no page", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		answer := newBrowser(connect).get(linkOf(c.id(), c.signInToken(), hostPage, "callbackMessage", "done"))
		Expect(answer.Status).To(Equal(http.StatusBadRequest))
		Expect(problemOn(answer)).To(Equal("link_invalid"))
	})
})

var _ = Describe("a sign-in that the host must confirm", func() {
	confirm := func(c *customer, code string) int {
		GinkgoHelper()
		return call(http.MethodPost, connect.URL+"/v1.0/accounts/"+c.name+"/connectors/"+c.id()+"/confirm", consoleToken(), fields("Code", code)).Status
	}
	confirmed := func(c *customer) { c.connection.Spec.Completion = v1alpha1.CompletionConfirm }

	It("connects the account when it does, by the code that its page was given, once", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, confirmed)
		end := newBrowser(connect).signIn(c.link())
		code := end.Query().Get("code")
		plane.Ledger.Add(code)
		Expect(code).To(HaveLen(43))
		Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonConfirmationRequired))
		Expect(c.accessToken(ctx)).To(BeEmpty())

		Expect(confirm(c, "x"+code[1:])).To(Equal(http.StatusConflict), "another code is none")
		Expect(c.accessToken(ctx)).To(BeEmpty())
		Expect(confirm(c, code)).To(Equal(http.StatusNoContent))
		c.expectConnected(ctx)
		Expect(confirm(c, code)).To(Equal(http.StatusConflict))
	})

	It("keeps the grant that there was until then", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		newBrowser(connect).signIn(c.link())
		token := c.expectConnected(ctx)
		patch(ctx, c.connection, func(a *v1alpha1.AccountConnector) { a.Spec.Completion = v1alpha1.CompletionConfirm })
		var end *url.URL
		Eventually(func() string {
			end = newBrowser(connect).signIn(c.link())
			return end.Query().Get("code")
		}).ShouldNot(BeEmpty())
		plane.Ledger.Add(end.Query().Get("code"))
		Expect(c.accessToken(ctx)).NotTo(BeEmpty())
		Expect(confirm(c, end.Query().Get("code"))).To(Equal(http.StatusNoContent))
		Eventually(c.accessToken).WithArguments(ctx).ShouldNot(Equal(token))
		c.expectConnected(ctx)
	})
})
