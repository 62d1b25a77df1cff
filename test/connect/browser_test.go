// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/browser"
	"github.com/claviger/claviger/test/nodejs"
	"github.com/claviger/claviger/test/provider"
)

const (
	button = "form button"
	allow  = "#approve"
	deny   = "#deny"
)

var _ = Describe("in a browser", Ordered, ContinueOnFailure, func() {
	var (
		chromium *browser.Browser
		app      *hostApp
		axe      string
	)
	BeforeAll(func(ctx context.Context) {
		chromium, app = browser.Start(plane.Ledger.Scrub), startHostApp()
		axe = nodejs.Prepare(ctx, "node").Read("axe-core/axe.min.js")
	})

	// asking is a customer whose provider asks the user, and whose host is the application.
	asking := func(ctx context.Context) *customer {
		GinkgoHelper()
		return newCustomer(ctx, provider.Options{Consent: provider.Asks}, func(c *customer) {
			c.account.Spec.AllowedOrigins, c.target = []v1alpha1.Origin{v1alpha1.Origin(app.origin)}, app.origin+"/done?tab=crm"
		})
	}
	// redirected is a link that ends at the host's page.
	redirected := func(c *customer) string { return connect.URL + c.link() }
	// posted is a link that ends with a message.
	posted := func(c *customer) string {
		return connect.URL + linkOf(c.id(), c.signInToken(), app.origin, "callbackMessage", "connected!")
	}
	atProvider := func(c *customer, tab *browser.Page) {
		GinkgoHelper()
		plane.Ledger.Add(tab.Arrive(c.URL + provider.PathAuthorize).Query().Get("state"))
	}
	// decide presses the button, and then that of the provider.
	decide := func(c *customer, tab *browser.Page, what string) {
		GinkgoHelper()
		tab.Click(button)
		atProvider(c, tab)
		tab.Click(what)
	}
	opened := func(link, features string) (*browser.Page, *browser.Page) {
		GinkgoHelper()
		tab := chromium.Page()
		tab.Open(app.origin + "/app?" + url.Values{"link": {link}, "features": {features}}.Encode())
		return tab, tab.Popup(func() { tab.Click("#open") })
	}
	told := func(tab *browser.Page) func() []map[string]any {
		return func() []map[string]any {
			var list []map[string]any
			for _, text := range browser.Eval[[]string](tab, `[...document.querySelectorAll("#told li")].map(item => item.textContent)`) {
				var message map[string]any
				Expect(json.Unmarshal([]byte(text), &message)).To(Succeed())
				list = append(list, message)
			}
			return list
		}
	}

	It("a user connects an account and is brought back to the host", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		tab.Open(redirected(c))
		tab.ExpectText("Acme Ltd")
		decide(c, tab, allow)
		Expect(tab.Arrive(app.origin + "/done").RawQuery).To(Equal("tab=crm"))
		c.expectConnected(ctx)
	})

	DescribeTable("gives no secret away", func(ctx context.Context, window bool, decision string) {
		c := asking(ctx)
		token, found := c.signInToken(), &trail{}
		tab, link := chromium.Page(), connect.URL+linkOf(c.id(), token, c.target)
		at := tab
		if window {
			tab, at = opened(connect.URL+linkOf(c.id(), token, app.origin, "callbackMessage", "connected!"), "")
		} else {
			tab.Open(link)
		}
		at.ExpectText("Acme Ltd")
		found.leave("the page of the link", at.HTML(), theToken)
		Expect(browser.Eval[string](at, `document.cookie`) == "").To(BeTrue(), "scripts can read no cookie")
		at.Click(button)
		state := at.Arrive(c.URL + provider.PathAuthorize).Query().Get("state")
		found.leave("the page of the application", at.HTML())
		at.Click(decision)
		switch {
		case !window:
			at.Arrive(app.origin + "/done")
			found.leave("the page of the host", at.HTML())
			found.leaveHistory(at)
		case decision == deny:
			at.ExpectText("Example CRM was not connected")
			found.leave("the page that ends it", at.HTML())
			found.leaveHistory(at)
		}
		if window {
			Eventually(told(tab)).Should(HaveLen(1))
			found.leave("what the window was told", browser.Eval[string](tab, `document.getElementById("told").textContent`))
		}
		if decision == allow {
			c.expectConnected(ctx)
		}
		found.leaveRequests(at)
		for _, request := range c.Requests() {
			found.leaveReferer(request.Referer)
		}
		for _, visit := range app.Visits() {
			found.leave("a URL that the host was called with", visit.URL)
			found.leaveReferer(visit.Referer)
			Expect(pathOf(visit.Referer)).To(BeElementOf("", "/"), "the host is told no more than an origin")
		}
		found.expectClean(c.secrets(token, state), decision == allow)
	},
		Entry("to the host, where a user allows", false, allow),
		Entry("to the host, where a user refuses", false, deny),
		Entry("to the window that opened it, where a user allows", true, allow),
		Entry("to the window that opened it, where a user refuses", true, deny),
	)

	It("does so without scripts", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		tab.WithoutScripts()
		tab.Open(redirected(c))
		decide(c, tab, allow)
		tab.Arrive(app.origin + "/done")
		c.expectConnected(ctx)
	})

	It("tells the window that opened it, of another origin, and closes", func(ctx context.Context) {
		c := asking(ctx)
		tab, popup := opened(posted(c), "")
		decide(c, popup, allow)
		Eventually(told(tab)).Should(Equal([]map[string]any{{"origin": connect.URL, "data": "connected!", "own": true}}))
		Eventually(popup.Closed).Should(BeTrue())
		c.expectConnected(ctx)
	})

	It("tells that window that the user refused, and the user what to do", func(ctx context.Context) {
		c := asking(ctx)
		tab, popup := opened(posted(c), "")
		decide(c, popup, deny)
		popup.ExpectText("Example CRM was not connected")
		Expect(popup.Reading()).To(ContainSubstring("access_denied"))
		Eventually(told(tab)).Should(HaveLen(1))
		Expect(told(tab)()[0]["data"]).To(And(HaveKeyWithValue("callbackMessage", "connected!"), HaveKeyWithValue("error", "access_denied")))
		Expect(slices.Sorted(maps.Keys(popup.Location().Query()))).To(Equal([]string{"session"}))
		Expect(popup.Closed()).To(BeFalse(), "so that the user can read it")
		c.expectUntouched(ctx)
	})

	It("sends a user who refused back to the host", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		tab.Open(redirected(c))
		decide(c, tab, deny)
		Expect(tab.Arrive(app.origin + "/done").Query()).To(And(HaveKeyWithValue("error", []string{"access_denied"}), HaveKey("error_description")))
	})

	It("says so where the window that opened it is lost", func(ctx context.Context) {
		c := asking(ctx)
		tab, popup := opened(posted(c), "")
		popup.Click(button)
		atProvider(c, popup)
		tab.Close()
		popup.Click(allow)
		popup.ExpectText("The page that opened this window is gone")
		popup.ExpectText("localhost")
		c.expectConnected(ctx)
	})

	It("tells a window of another origin than the link's nothing", func(ctx context.Context) {
		c := asking(ctx)
		patch(ctx, c.account, func(a *v1alpha1.Account) { a.Spec.AllowedOrigins = []v1alpha1.Origin{hostOrigin} })
		var link string
		Eventually(func() int {
			link = connect.URL + linkOf(c.id(), c.signInToken(), hostOrigin, "callbackMessage", "connected!")
			return call(http.MethodGet, link, "", "").Status
		}).Should(Equal(http.StatusOK))
		tab, popup := opened(link, "")
		decide(c, popup, allow)
		c.expectConnected(ctx)
		Eventually(popup.Closed).Should(BeTrue(), "it has posted its message")
		Expect(told(tab)()).To(BeEmpty())
	})

	It("takes a double click for one", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		tab.Open(redirected(c))
		tab.DoubleClick(button)
		atProvider(c, tab)
		tab.Click(allow)
		tab.Arrive(app.origin + "/done")
		c.expectConnected(ctx)
	})

	It("says that a link was used, or is too old, when a user comes back to it", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		link := redirected(c)
		tab.Open(link)
		decide(c, tab, allow)
		tab.Arrive(app.origin + "/done")

		By("going back to it")
		tab.Back(2)
		tab.ExpectText("This link was used, or is too old")

		By("opening it once more")
		tab.Open(link)
		tab.ExpectText("This link was used, or is too old")
		Expect(exchanges(c.Provider)).To(Equal(1))
		c.expectConnected(ctx)

		By("opening one that has expired")
		old := redirected(c)
		DeferCleanup(clock.Advance, -6*time.Minute)
		clock.Advance(6 * time.Minute)
		tab.Open(old)
		tab.ExpectText("This link was used, or is too old")
	})

	It("works after scanners and the browser itself have fetched the link", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		token := c.signInToken()
		link := connect.URL + linkOf(c.id(), token, c.target)
		for range 2 {
			Expect(call(http.MethodGet, link, "", "").Status).To(Equal(http.StatusOK))
			Expect(call(http.MethodHead, link, "", "").Status).To(Equal(http.StatusOK))
			tab.Open(app.origin + "/inbox?" + url.Values{"link": {link}}.Encode())
			Expect(browser.Eval[string](tab, `finished`)).To(Equal("load"))
		}
		fetched := func(of browser.Request) bool {
			return of.Method == http.MethodGet && of.URL == link && of.Type != "Document"
		}
		Expect(slices.ContainsFunc(tab.Requests(), fetched)).To(BeTrue(), "the browser has fetched it before anybody followed it")
		Expect(c.signInSecrets(ctx)).To(Equal([]string{linkSecret(token)}), "nothing is used up, and nothing begun")
		Expect(c.Requests()).To(BeEmpty())

		tab.Click("#link")
		tab.ExpectText("Acme Ltd")
		decide(c, tab, allow)
		tab.Arrive(app.origin + "/done")
		c.expectConnected(ctx)
	})

	It("shows pages that everybody can use, on a phone and on a desktop, by day and by night", func(ctx context.Context) {
		c := asking(ctx)
		for name, show := range map[string]func() *browser.Page{
			"connect": func() *browser.Page {
				tab := chromium.Page()
				tab.Open(redirected(c))
				return tab
			},
			"link-dead": func() *browser.Page {
				tab := chromium.Page()
				tab.Open(connect.URL + linkOf(c.id(), strings.Repeat("a", 43), app.origin))
				return tab
			},
			"refused": func() *browser.Page {
				_, popup := opened(posted(c), "")
				decide(c, popup, deny)
				popup.ExpectText("was not connected")
				return popup
			},
		} {
			tab := show()
			for _, screen := range []browser.Screen{browser.Phone, browser.Desktop} {
				for _, scheme := range []browser.Scheme{browser.Light, browser.Dark} {
					tab.Picture("../../docs/images", "sign-in-"+name, screen, scheme)
					Expect(violations(tab, axe)).To(BeEmpty(), "%s on a %s, %s", name, screen.Name, scheme)
				}
			}
		}
	})

	It("can be used with the keyboard alone", func(ctx context.Context) {
		c, tab := asking(ctx), chromium.Page()
		tab.Open(redirected(c))
		tab.Press("\t")
		Expect(browser.Eval[string](tab, `document.activeElement.textContent`)).To(ContainSubstring("Continue to"))
		Expect(browser.Eval[string](tab, `getComputedStyle(document.activeElement).outlineStyle`)).NotTo(Equal("none"), "the focus can be seen")
		tab.Press("\r")
		atProvider(c, tab)
	})
})

// violations gives the rules of WCAG 2.2 AA, and of good practice, that a page breaks.
func violations(tab *browser.Page, axe string) []string {
	GinkgoHelper()
	return browser.Eval[[]string](tab, axe+`;
axe.run().then(result => result.violations.map(rule => rule.id + ": " + rule.nodes.map(node => node.html).join(" ")))`)
}
