// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/server/connectapi"
	"github.com/claviger/claviger/test/chrome"
	"github.com/claviger/claviger/test/nodejs"
	"github.com/claviger/claviger/test/provider"
)

// update writes the pictures of the documentation: go test ./test/connect -args -update.
var update = flag.Bool("update", false, "write the screenshots of docs/images")

const (
	button     = "form button"
	allow      = "#approve"
	deny       = "#deny"
	signInPage = "Sign in to the application"
)

var _ = Describe("in a browser", Ordered, ContinueOnFailure, func() {
	var (
		browser *chrome.Chrome
		app     *hostApp
		axe     string
	)
	BeforeAll(func(ctx context.Context) {
		browser, app = chrome.Start(), startHostApp()
		axe = nodejs.Prepare(ctx, "node").Read("axe-core/axe.min.js")
	})

	// asking is a customer whose provider asks the user, and whose host is the application.
	asking := func(ctx context.Context) *customer {
		GinkgoHelper()
		return newCustomer(ctx, provider.Options{Consent: provider.Asks}, func(c *customer) {
			c.account.Spec.AllowedOrigins = []v1alpha1.Origin{v1alpha1.Origin(app.origin)}
		})
	}
	// redirected is a link that ends at the host's page.
	redirected := func(c *customer) string {
		return connect.URL + linkOf(c.id(), c.signInToken(), app.origin+"/done?tab=crm")
	}
	// posted is a link that ends with a message.
	posted := func(c *customer) string {
		return connect.URL + linkOf(c.id(), c.signInToken(), app.origin, "callbackMessage", "connected!")
	}
	atProvider := func(c *customer, tab *chrome.Tab) {
		GinkgoHelper()
		plane.Ledger.Add(tab.ExpectAt(c.URL + provider.PathAuthorize).Query().Get("state"))
	}
	opened := func(link, features string) (*chrome.Tab, *chrome.Tab) {
		GinkgoHelper()
		tab := browser.Open()
		tab.Go(app.origin + "/app?" + url.Values{"link": {link}, "features": {features}}.Encode())
		return tab, tab.Popup(func() { tab.Click("#open") })
	}
	told := func(tab *chrome.Tab) func() []map[string]any {
		return func() []map[string]any {
			var list []map[string]any
			for _, text := range chrome.Eval[[]string](tab, `[...document.querySelectorAll("#told li")].map(item => item.textContent)`) {
				var message map[string]any
				Expect(json.Unmarshal([]byte(text), &message)).To(Succeed())
				list = append(list, message)
			}
			return list
		}
	}

	It("a user connects an account and is brought back to the host", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		tab.Go(redirected(c))
		tab.ExpectText("Acme Ltd")
		tab.Click(button)
		atProvider(c, tab)
		tab.Click(allow)
		Expect(tab.ExpectAt(app.origin + "/done").RawQuery).To(Equal("tab=crm"))
		c.expectConnected(ctx)

		By("looking at what was left behind")
		for _, address := range tab.History() {
			Expect(address).NotTo(Or(ContainSubstring("code="), ContainSubstring(connectapi.PathCallback)), "the callback is not in the history")
		}
		for _, request := range append(refererOf(c.Requests()), app.Referers()...) {
			Expect(request).NotTo(ContainSubstring(connect.URL), "nobody is told where the user came from")
		}
		for _, request := range tab.Requests() {
			Expect(request.Referer).NotTo(Or(ContainSubstring("token="), ContainSubstring("code="), ContainSubstring(connect.URL+"/connectorauth")))
		}
	})

	It("does so without scripts", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		tab.WithoutScripts()
		tab.Go(redirected(c))
		tab.Click(button)
		atProvider(c, tab)
		tab.Click(allow)
		tab.ExpectAt(app.origin + "/done")
		c.expectConnected(ctx)
	})

	It("tells the window that opened it, of another origin, and closes", func(ctx context.Context) {
		c := asking(ctx)
		tab, popup := opened(posted(c), "")
		popup.Click(button)
		atProvider(c, popup)
		popup.Click(allow)
		Eventually(told(tab)).Should(Equal([]map[string]any{{"origin": connect.URL, "data": "connected!", "own": true}}))
		Eventually(popup.Closed).Should(BeTrue())
		c.expectConnected(ctx)
	})

	It("tells that window that the user refused, and the user what to do", func(ctx context.Context) {
		c := asking(ctx)
		tab, popup := opened(posted(c), "")
		popup.Click(button)
		atProvider(c, popup)
		popup.Click(deny)
		popup.ExpectText("Example CRM was not connected")
		Expect(popup.Text()).To(ContainSubstring("access_denied"))
		Eventually(told(tab)).Should(HaveLen(1))
		Expect(told(tab)()[0]["data"]).To(And(HaveKeyWithValue("callbackMessage", "connected!"), HaveKeyWithValue("error", "access_denied")))
		Expect(popup.URL()).NotTo(Or(ContainSubstring("state="), ContainSubstring("code=")))
		Expect(popup.Closed()).To(BeFalse(), "so that the user can read it")
		c.expectUntouched(ctx)
	})

	It("sends a user who refused back to the host", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		tab.Go(redirected(c))
		tab.Click(button)
		atProvider(c, tab)
		tab.Click(deny)
		Expect(tab.ExpectAt(app.origin + "/done").Query()).To(And(HaveKeyWithValue("error", []string{"access_denied"}), HaveKey("error_description")))
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
		popup.Click(button)
		atProvider(c, popup)
		popup.Click(allow)
		c.expectConnected(ctx)
		Eventually(popup.Closed).Should(BeTrue(), "it has posted its message")
		Expect(told(tab)()).To(BeEmpty())
	})

	It("takes a double click for one", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		tab.Go(redirected(c))
		tab.Run(chromedp.DoubleClick(chromedp.CSS(button)))
		atProvider(c, tab)
		tab.Click(allow)
		tab.ExpectAt(app.origin + "/done")
		c.expectConnected(ctx)
	})

	It("says that a link was used, or is too old, when a user comes back to it", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		link := redirected(c)
		tab.Go(link)
		tab.Click(button)
		atProvider(c, tab)
		tab.Click(allow)
		tab.ExpectAt(app.origin + "/done")

		By("going back to it")
		tab.Back(2)
		tab.ExpectText("This link was used, or is too old")

		By("opening it once more")
		tab.Go(link)
		tab.ExpectText("This link was used, or is too old")
		Expect(exchanges(c.Provider)).To(Equal(1))
		c.expectConnected(ctx)

		By("opening one that has expired")
		old := redirected(c)
		DeferCleanup(clock.Advance, -6*time.Minute)
		clock.Advance(6 * time.Minute)
		tab.Go(old)
		tab.ExpectText("This link was used, or is too old")
	})

	It("works after a scanner has fetched the link", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		link := redirected(c)
		for range 3 {
			Expect(call(http.MethodGet, link, "", "").Status).To(Equal(http.StatusOK))
			Expect(call(http.MethodHead, link, "", "").Status).To(Equal(http.StatusOK))
		}
		tab.Go(link)
		tab.Click(button)
		atProvider(c, tab)
		tab.Click(allow)
		tab.ExpectAt(app.origin + "/done")
		c.expectConnected(ctx)
	})

	It("shows pages that everybody can use, on a phone and on a desktop, by day and by night", func(ctx context.Context) {
		c := asking(ctx)
		for name, show := range map[string]func() *chrome.Tab{
			"connect": func() *chrome.Tab {
				tab := browser.Open()
				tab.Go(redirected(c))
				return tab
			},
			"link-dead": func() *chrome.Tab {
				tab := browser.Open()
				tab.Go(connect.URL + linkOf(c.id(), strings.Repeat("a", 43), app.origin))
				return tab
			},
			"refused": func() *chrome.Tab {
				_, popup := opened(posted(c), "")
				popup.Click(button)
				atProvider(c, popup)
				popup.Click(deny)
				popup.ExpectText("was not connected")
				return popup
			},
		} {
			tab := show()
			for _, looks := range chrome.AllLooks() {
				tab.Look(looks)
				Expect(violations(tab, axe)).To(BeEmpty(), "%s, %s", name, looks.Name)
				Expect(chrome.Eval[bool](tab, `document.documentElement.scrollWidth <= document.documentElement.clientWidth`)).To(BeTrue(), "%s, %s: nothing is cut off", name, looks.Name)
				if *update {
					tab.Screenshot(filepath.Join("../../docs/images", name+"-"+looks.Name+".png"))
				}
			}
		}
	})

	It("can be used with the keyboard alone", func(ctx context.Context) {
		c, tab := asking(ctx), browser.Open()
		tab.Go(redirected(c))
		tab.Run(chromedp.KeyEvent("\t"))
		Expect(chrome.Eval[string](tab, `document.activeElement.textContent`)).To(ContainSubstring("Continue to"))
		Expect(chrome.Eval[string](tab, `getComputedStyle(document.activeElement).outlineStyle`)).NotTo(Equal("none"), "the focus can be seen")
		tab.Run(chromedp.KeyEvent("\r"))
		atProvider(c, tab)
	})
})

// violations gives the rules of WCAG 2.2 AA, and of good practice, that a page breaks.
func violations(tab *chrome.Tab, axe string) []string {
	GinkgoHelper()
	return chrome.Eval[[]string](tab, axe+`;
axe.run().then(result => result.violations.map(rule => rule.id + ": " + rule.nodes.map(node => node.html).join(" ")))`)
}

func refererOf(requests []provider.Request) []string {
	var referers []string
	for _, request := range requests {
		referers = append(referers, request.Referer)
	}
	return referers
}
