// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// patience bounds one deed in a page. It is long because machines are slow, not because pages are.
const patience = time.Minute

// Page is a tab.
type Page struct {
	*witness
	browser *Browser
	ctx     context.Context //nolint:containedctx // chromedp keeps a tab in one
}

// Page opens an empty tab that knows no other: cookies, history and storage are its own. It lives until the spec ends.
func (b *Browser) Page() *Page {
	GinkgoHelper()
	return b.attach(b.ctx, chromedp.WithNewBrowserContext())
}

func (b *Browser) attach(parent context.Context, options ...chromedp.ContextOption) *Page {
	GinkgoHelper()
	seen := &witness{scrub: b.scrub, documents: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(seen.see))...)
	opened := &Page{witness: seen, browser: b, ctx: ctx}
	DeferCleanup(cancel)
	DeferCleanup(func() { Expect(opened.Complaints()).To(BeEmpty(), "the console of the page has no errors") })
	Expect(chromedp.Do(ctx)).To(Succeed(), "opening a tab")
	return opened
}

// do does something in the page, within the patience.
func do[T any](p *Page, what string, action chromedp.Action[T]) T {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		Fail(p.browser.scrub(what + " at " + p.path(p.location()) + ": " + err.Error()))
	}
	return result
}

// Open goes to a URL, as one that a user has typed.
func (p *Page) Open(to string) {
	GinkgoHelper()
	do(p, "opening a page", chromedp.Navigate(to))
}

// Click clicks on the first element of a CSS selector, once it can be seen.
func (p *Page) Click(selector string) {
	GinkgoHelper()
	do(p, "clicking on "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// DoubleClick clicks twice, as fast as people do who are in doubt.
func (p *Page) DoubleClick(selector string) {
	GinkgoHelper()
	do(p, "clicking twice on "+selector, chromedp.DoubleClick(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Text gives the text of the first element of a CSS selector, as a user reads it.
func (p *Page) Text(selector string) string {
	GinkgoHelper()
	return do(p, "reading "+selector, chromedp.Text(chromedp.CSS(selector)))
}

// HTML gives the whole document as it is now.
func (p *Page) HTML() string {
	GinkgoHelper()
	return do(p, "reading the document", chromedp.OuterHTML(chromedp.CSS("html")))
}

// Back goes that many pages back, as the button does. A page may come as it was left, without being loaded again.
func (p *Page) Back(pages int) {
	GinkgoHelper()
	Eval[any](p, fmt.Sprintf("void history.go(-%d)", pages))
}

// Reload loads the page again, as the button does.
func (p *Page) Reload() {
	GinkgoHelper()
	do(p, "loading it again", chromedp.Reload())
}

// Location gives the URL of the page.
func (p *Page) Location() *url.URL {
	GinkgoHelper()
	at, err := url.Parse(do(p, "reading the location", chromedp.Location()))
	Expect(err).NotTo(HaveOccurred())
	return at
}

// location is Location for those that must not fail.
func (p *Page) location() string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	return at
}

// Arrive waits until the page is at a URL that begins so, and gives all of it.
func (p *Page) Arrive(prefix string) *url.URL {
	GinkgoHelper()
	Eventually(func() bool { return strings.HasPrefix(p.location(), prefix) }).WithTimeout(patience).WithPolling(50*time.Millisecond).
		Should(BeTrue(), "it arrives at %s", p.path(prefix))
	return p.Location()
}

// Eval gives what a JavaScript expression comes to, once it is settled.
func Eval[T any](p *Page, expression string) T {
	GinkgoHelper()
	return do(p, "evaluating", chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// History gives the URLs that the back and forward buttons lead to, and that of the page.
func (p *Page) History() []string {
	GinkgoHelper()
	entries := do(p, "reading the history", chromedp.NavigationEntries()).Entries
	urls := make([]string, len(entries))
	for i, entry := range entries {
		urls[i] = entry.URL
	}
	return urls
}

// Popup gives the window that the page opens while something is done. It has the page for its opener, and shares its cookies.
func (p *Page) Popup(while func()) *Page {
	GinkgoHelper()
	opened := chromedp.WaitNewTarget(p.ctx, func(*target.Info) bool { return true })
	while()
	var id target.ID
	Eventually(opened).WithTimeout(patience).Should(Receive(&id), "it opens a window")
	return p.browser.attach(p.browser.ctx, chromedp.WithTargetID(id)) // which outlives the page that has opened it
}

// Closed reports whether the window is closed.
func (p *Page) Closed() bool {
	targets, err := chromedp.Targets(p.browser.ctx)
	own := chromedp.FromContext(p.ctx).Target.TargetID
	return err == nil && !slices.ContainsFunc(targets, func(open *target.Info) bool { return open.TargetID == own })
}

// Close closes the tab, as the user does.
func (p *Page) Close() {
	GinkgoHelper()
	do(p, "closing the window", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.Close, cdp.Empty{})
		return chromedp.Void{}, err
	})
	Eventually(p.Closed).WithTimeout(patience).Should(BeTrue(), "it closes")
}

// Press presses keys, one for each character.
func (p *Page) Press(keys string) {
	GinkgoHelper()
	do(p, "pressing a key", chromedp.KeyEvent(keys))
}

// Reading gives all that a user reads. Between two pages it is empty.
func (p *Page) Reading() string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	return text
}

// ExpectText waits until a user reads that.
func (p *Page) ExpectText(text string) {
	GinkgoHelper()
	Eventually(p.Reading).WithTimeout(patience).WithPolling(50 * time.Millisecond).Should(ContainSubstring(text))
}

// WithoutScripts has the page run none.
func (p *Page) WithoutScripts() {
	GinkgoHelper()
	do(p, "switching scripts off", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

// Type types into the first element of a CSS selector.
func (p *Page) Type(selector, text string) {
	GinkgoHelper()
	do(p, "typing into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}
