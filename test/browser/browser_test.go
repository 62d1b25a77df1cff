// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"golang.org/x/oauth2"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/browser"
	"github.com/claviger/claviger/test/provider"
)

func TestBrowser(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Browser")
}

var chromium *browser.Browser

var _ = BeforeSuite(func() { chromium = browser.Start(nil) })

// site is what a browser may be sent to: pages of one line, by their paths.
func site(pages map[string]string) string {
	GinkgoHelper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, there := pages[r.URL.Path]
		if !there {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A page</title><link rel="icon" href="data:,">%s`, body)
	}))
	DeferCleanup(server.Close)
	return server.URL
}

var _ = Describe("a user at a provider", func() {
	DescribeTable("decides", func(button string, want url.Values) {
		them := provider.Start(provider.Options{Consent: provider.Asks, Iss: provider.IssRight})
		DeferCleanup(them.Close)
		back := site(map[string]string{"/callback": "<h1>Back</h1>"}) + "/callback"
		config, verifier := oauth2.Config{
			ClientID: provider.ClientID, ClientSecret: provider.ClientSecret, RedirectURL: back, Scopes: []string{"crm.read"},
			Endpoint: oauth2.Endpoint{AuthURL: them.URL + provider.PathAuthorize, TokenURL: them.URL + provider.PathToken, AuthStyle: oauth2.AuthStyleInHeader},
		}, oauth2.GenerateVerifier()

		page := chromium.Page()
		page.Open(config.AuthCodeURL("our-state", oauth2.S256ChallengeOption(verifier)))
		Expect(page.Text("p")).To(Equal("our-app asks for access: crm.read"))
		page.Click(button)
		answered := page.Arrive(back).Query()
		Expect(page.Text("h1")).To(Equal("Back"))
		Expect(answered.Get("state")).To(Equal("our-state"))
		Expect(answered.Get("iss")).To(Equal(them.URL))
		Expect(answered.Get("error")).To(Equal(want.Get("error")))
		if answered.Get("error") == "" {
			tokens, err := config.Exchange(GinkgoT().Context(), answered.Get("code"), oauth2.VerifierOption(verifier))
			Expect(err).NotTo(HaveOccurred())
			Expect(them.AccessLive(tokens.AccessToken)).To(BeTrue())
		}
		Expect(page.Requests()).To(ContainElement(HaveField("Method", http.MethodPost)))
		Expect(page.Referers()).To(ContainElement(HavePrefix(them.URL)), "a page that does not mind tells where its user came from")
		Expect(page.History()).To(HaveLen(3), "the empty tab, the question, and the answer")
	},
		Entry("to allow it", "#approve", url.Values{}),
		Entry("to deny it", "#deny", url.Values{"error": {"access_denied"}}),
	)
})

var _ = Describe("a page", func() {
	DescribeTable("that reports an error", func(body, complaint string) {
		page := chromium.Page()
		page.Open(site(map[string]string{"/": body}))
		Eventually(page.Complaints).Should(ContainElement(ContainSubstring(complaint)))
		page.Forgive(complaint)
		Expect(page.Complaints()).To(BeEmpty())
	},
		Entry("on its console", `<script>console.error("it is broken")</script>`, "it is broken"),
		Entry("that nobody catches", `<script>throw new Error("it is broken")</script>`, "it is broken"),
		Entry("because it cannot load something", `<img src="/missing.png" alt="">`, "404"),
		Entry("because of its own policy", `<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>`, "Content Security Policy"),
	)

	It("knows nothing of another one's cookies", func() {
		at := site(map[string]string{"/": "<p>Here</p>"})
		first, second := chromium.Page(), chromium.Page()
		first.Open(at)
		second.Open(at)
		browser.Eval[string](first, `document.cookie = "mine=1"`)
		first.Reload()
		second.Reload()
		Expect(browser.Eval[string](first, "document.cookie")).To(Equal("mine=1"))
		Expect(browser.Eval[string](second, "document.cookie")).To(BeEmpty())
	})

	It("reaches no machine but this one", func() {
		page := chromium.Page()
		page.Open(site(map[string]string{"/": "<p>Here</p>"}))
		Expect(browser.Eval[string](page, `fetch("https://www.example.com/").then(() => "there", () => "nowhere")`)).To(Equal("nowhere"))
		Eventually(page.Complaints).WithTimeout(10 * time.Second).Should(ContainElement(ContainSubstring("ERR_NAME_NOT_RESOLVED")))
		page.Forgive("ERR_NAME_NOT_RESOLVED")
	})

	It("opens a window, which tells it what has happened", func() {
		at := site(map[string]string{
			"/":       `<button>Connect</button><p></p><script>addEventListener("message", e => { document.querySelector("p").textContent = e.data + " from " + e.origin })</script>`,
			"/window": `<h1>Sign in</h1><button>Done</button>`,
		})
		other := site(map[string]string{"/": `<h1>Sign in</h1><button>Done</button>`})
		page := chromium.Page()
		page.Open(at)
		window := page.Popup(func() { browser.Eval[bool](page, fmt.Sprintf("!!window.open(%q)", other)) })
		Expect(window.Text("h1")).To(Equal("Sign in"))
		browser.Eval[bool](window, fmt.Sprintf("opener.postMessage('done', %q), true", at))
		Eventually(func() string { return page.Text("p") }).Should(Equal("done from " + other))
	})

	It("is shown on a phone and on a desk, by day and by night", func() {
		page := chromium.Page()
		page.Open(site(map[string]string{"/": `<style>:root{color-scheme:light dark}body{background:white}@media (prefers-color-scheme:dark){body{background:black}}</style><p>Here</p>`}))
		for _, screen := range []browser.Screen{browser.Phone, browser.Desktop} {
			day, night := page.Picture(GinkgoT().TempDir(), "page", screen, browser.Light), page.Picture(GinkgoT().TempDir(), "page", screen, browser.Dark)
			Expect(bright(day)).To(BeTrue())
			Expect(bright(night)).To(BeFalse())
		}
	})
})

// bright reports whether the corner of a picture is.
func bright(picture image.Image) bool {
	const half = 1 << 15
	red, _, _, _ := picture.At(1, 1).RGBA()
	return red > half
}
