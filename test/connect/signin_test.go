// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/provider"
)

var _ = Describe("a sign-in", func() {
	It("connects an account, and ends at the host's page", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
		expectHost(newBrowser(connect).signIn(c.link()))
		token := c.expectConnected(ctx)
		Expect(c.connection.Status.AuthorizedBy).To(Equal("jane"))
		Expect(c.connection.Status.AuthorizedAt).NotTo(BeNil())

		By("signing in once more: the same object, the same Secret")
		expectHost(newBrowser(connect).signIn(c.link()))
		Eventually(c.published).WithArguments(ctx).ShouldNot(Equal(token))
		c.expectConnected(ctx)
	})

	It("asks for what the Connector says, bound to this sign-in", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, func(c *customer) {
			c.library.Spec.AuthorizationParameters = map[string]v1alpha1.ParameterValue{"access_type": "offline"}
		})
		asked := newBrowser(connect).follow(c.link()).Query()
		for _, secret := range []string{"state", "code_challenge"} {
			Expect(asked[secret]).To(HaveLen(1))
			Expect(len(asked.Get(secret))).To(Equal(43), secret)
			plane.Ledger.Add(asked.Get(secret))
			asked.Del(secret)
		}
		Expect(asked).To(Equal(url.Values{
			"response_type": {"code"}, "client_id": {provider.ClientID}, "redirect_uri": {c.redirectURI()}, "scope": {"crm.read crm.write"},
			"access_type": {"offline"}, "code_challenge_method": {"S256"},
		}))
		Eventually(func() string {
			_ = plane.API.Get(ctx, keyOf(c.library), c.library)
			return c.library.Status.RedirectURI
		}).Should(Equal(c.redirectURI()), "which is what the app registration must have")
	})

	It("names the application, the account and the user, and uses nothing up before its button is pressed", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		link := c.link()
		for range 3 { // scanners, prefetches
			page := newBrowser(connect).get(link)
			Expect(page.Status).To(Equal(http.StatusOK))
			for _, name := range []string{"Example CRM", "Acme Ltd", "jane", "app.acme.example"} {
				Expect(strings.Contains(page.Body, name)).To(BeTrue(), name)
			}
			Expect(page.Header.Get("Referrer-Policy")).To(Equal("no-referrer"))
			Expect(page.Header.Get("Cache-Control")).To(Equal("no-store"))
			Expect(page.Header.Get("Content-Security-Policy")).To(ContainSubstring("frame-ancestors " + hostOrigin))
		}
		expectHost(newBrowser(second).signIn(link))
	})

	It("goes through any replica at each step", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		b := newBrowser(connect)
		page := b.get(c.link())
		b.replica = second
		answer := b.post(formOf(page.Body))
		Expect(answer.Status).To(Equal(http.StatusSeeOther), problemOn(answer))
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
		var good atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				at := []*visitor{b, other}[i%2]
				if answer, err := at.Get(at.replica.URL + back.RequestURI()); err == nil && answer.StatusCode == http.StatusSeeOther {
					good.Add(1)
				}
			})
		}
		all.Wait()
		Expect(good.Load()).To(Equal(int64(1)))
		Expect(exchanges(c.Provider)).To(Equal(1))
		c.expectConnected(ctx)
	})

	It("leaves no Secret behind", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		newBrowser(connect).signIn(c.link())
		Expect(c.signInSecrets(ctx)).To(BeEmpty())
	})

	It("is told apart from one that is ready by GET", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		state := func() map[string]any {
			answer := call(http.MethodGet, connect.URL+"/v1.0/accounts/"+c.name+"/connectors/"+c.id(), consoleToken(), "")
			Expect(answer.Status).To(Equal(http.StatusOK))
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
		token := c.signInToken()
		at := b.follow(linkOf(c.id(), token, hostOrigin, "callbackMessage", `crm "connected"`))
		state := at.Query().Get("state")
		end := location(b.back(b.agree(at)))
		Expect(end.Path).To(Equal(connectapi.PathCompleted), "neither code nor state are in the URL of the page")
		page := b.get(end.RequestURI())
		Expect(page.Status).To(Equal(http.StatusOK), problemOn(page))
		Expect(page.Header.Get("Referrer-Policy")).To(Equal("no-referrer"))
		Expect(page.Header.Get("Cache-Control")).To(Equal("no-store"))
		found := &trail{}
		found.leave("the page that ends it", page.Body)
		found.leave("its URL", end.String())
		found.expectClean(c.secrets(token, state), false)
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
	confirmed := func(c *customer) { c.connection.Spec.Completion = v1alpha1.CompletionConfirm }

	It("connects the account when it does, by the code that its page was given, once", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, confirmed)
		end := newBrowser(connect).signIn(c.link())
		code := end.Query().Get("code")
		plane.Ledger.Add(code)
		Expect(len(code)).To(Equal(43))
		Eventually(c.reason).WithArguments(ctx).Should(Equal(v1alpha1.ReasonConfirmationRequired))
		Expect(c.published(ctx)).To(BeEmpty())

		Expect(c.confirm("x"+code[1:])).To(Equal(http.StatusConflict), "another code is none")
		Expect(c.published(ctx)).To(BeEmpty())
		Expect(c.confirm(code)).To(Equal(http.StatusNoContent))
		c.expectConnected(ctx)
		Expect(c.confirm(code)).To(Equal(http.StatusConflict))
	})

	It("keeps the grant that there was until then", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		newBrowser(connect).signIn(c.link())
		token := c.expectConnected(ctx)
		patch(ctx, c.connection, func(a *v1alpha1.AccountConnector) { a.Spec.Completion = v1alpha1.CompletionConfirm })
		var code string
		Eventually(func() bool { // once the replica knows
			token = c.published(ctx)
			code = newBrowser(connect).signIn(c.link()).Query().Get("code")
			return code != ""
		}).Should(BeTrue())
		plane.Ledger.Add(code)
		Expect(c.published(ctx)).To(Equal(token))
		Expect(c.confirm(code)).To(Equal(http.StatusNoContent))
		Eventually(c.published).WithArguments(ctx).ShouldNot(Equal(token))
		c.expectConnected(ctx)
	})
})
