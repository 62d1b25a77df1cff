// SPDX-License-Identifier: Apache-2.0

package chrome

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// patience is how long a page may take.
const patience = 15 * time.Second

// Request is one that a page made.
type Request struct {
	URL string
	// Referer is that header. Empty: it had none.
	Referer string
}

// Tab is a page that a user sees.
type Tab struct {
	ctx context.Context //nolint:containedctx // the life of the tab
	// parent is the browser.
	parent context.Context //nolint:containedctx // outlives the tab

	mutex      sync.Mutex
	complaints []string
	documents  map[string]bool // URLs of pages, whose own status is no complaint
	requests   []Request
}

// Open opens a page of a user who has nothing of others: no cookies, no history. It is closed with the spec, which fails where the
// browser has complained of anything.
func (c *Chrome) Open() *Tab {
	GinkgoHelper()
	return attach(c.ctx, chromedp.WithNewBrowserContext())
}

func attach(parent context.Context, which chromedp.ContextOption) *Tab {
	GinkgoHelper()
	tab := &Tab{parent: parent, documents: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(parent, which, chromedp.WithListener(tab.hear))
	tab.ctx = ctx
	Expect(chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, networkErr := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		_, logErr := cdp.Call(ctx, t, log.Enable, cdp.Empty{})
		_, runtimeErr := cdp.Call(ctx, t, runtime.Enable, cdp.Empty{})
		return errors.Join(networkErr, logErr, runtimeErr)
	}))).To(Succeed(), "opening a tab")
	DeferCleanup(func() {
		complaints := tab.Complaints()
		cancel()
		Expect(complaints).To(BeEmpty(), "the browser complained")
	})
	return tab
}

// hear notes what the browser tells of a page.
func (t *Tab) hear(event any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if event.Type == network.ResourceTypeDocument {
			t.documents[event.Request.URL] = true
		}
		referer, _ := event.Request.Headers["Referer"].(string)
		t.requests = append(t.requests, Request{URL: event.Request.URL, Referer: referer})
	case *runtime.EventConsoleAPICalled:
		switch event.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			t.complaints = append(t.complaints, "console."+string(event.Type))
		}
	case *runtime.EventExceptionThrown:
		t.complaints = append(t.complaints, "exception: "+event.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if event.Entry.Source == log.EntrySourceNetwork && t.documents[event.Entry.URL] {
			return // a page that is 410 is meant to be
		}
		if event.Entry.Level == log.EntryLevelError || event.Entry.Level == log.EntryLevelWarning {
			t.complaints = append(t.complaints, fmt.Sprintf("%s: %s", event.Entry.Source, event.Entry.Text))
		}
	}
}

// Complaints gives all that the browser has complained of.
func (t *Tab) Complaints() []string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return append([]string(nil), t.complaints...)
}

// Requests gives all that the page has asked for, in order.
func (t *Tab) Requests() []Request {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return append([]Request(nil), t.requests...)
}

// Run does something in the page.
func (t *Tab) Run(actions ...chromedp.Action[chromedp.Void]) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	Expect(chromedp.Do(ctx, actions...)).To(Succeed())
}

// Go goes to an address.
func (t *Tab) Go(address string) {
	GinkgoHelper()
	t.Run(chromedp.Navigate(address))
}

// Click clicks on what a CSS selector names, once it is there.
func (t *Tab) Click(selector string) {
	GinkgoHelper()
	t.Run(chromedp.Click(chromedp.CSS(selector)))
}

// Text gives what a user reads of the page.
func (t *Tab) Text() string {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`)) // fails between two pages
	return text
}

// Eval gives the value of an expression in the page, or of the promise that it gives.
func Eval[T any](t *Tab, expression string) T {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	Expect(err).NotTo(HaveOccurred())
	return value
}

// URL gives where the tab is.
func (t *Tab) URL() string {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	address, _ := chromedp.Run(ctx, chromedp.Location()) // fails between two pages
	return address
}

// ExpectAt waits until the tab is at an address that begins so.
func (t *Tab) ExpectAt(prefix string) *url.URL {
	GinkgoHelper()
	Eventually(t.URL).WithTimeout(patience).Should(HavePrefix(prefix))
	at, err := url.Parse(t.URL())
	Expect(err).NotTo(HaveOccurred())
	return at
}

// ExpectText waits until the page says so.
func (t *Tab) ExpectText(text string) {
	GinkgoHelper()
	Eventually(t.Text).WithTimeout(patience).Should(ContainSubstring(text))
}

// Back goes that many pages back in the history.
func (t *Tab) Back(pages int) {
	GinkgoHelper()
	Eval[any](t, fmt.Sprintf("void history.go(-%d)", pages))
}

// History gives the addresses in the tab's history.
func (t *Tab) History() []string {
	GinkgoHelper()
	history, err := chromedp.Call(t.ctx, page.GetNavigationHistory, cdp.Empty{})
	Expect(err).NotTo(HaveOccurred())
	var addresses []string
	for _, entry := range history.Entries {
		addresses = append(addresses, entry.URL)
	}
	return addresses
}

// Popup does something that opens a window, and gives that.
func (t *Tab) Popup(open func()) *Tab {
	GinkgoHelper()
	opened := chromedp.WaitNewTarget(t.ctx, func(info *target.Info) bool { return info.OpenerID != "" })
	open()
	var id target.ID
	Eventually(opened).WithTimeout(patience).Should(Receive(&id))
	return attach(t.parent, chromedp.WithTargetID(id))
}

// Close closes the window, as its user would.
func (t *Tab) Close() {
	GinkgoHelper()
	_, err := chromedp.Call(t.ctx, page.Close, cdp.Empty{})
	Expect(err).NotTo(HaveOccurred())
	Eventually(t.Closed).WithTimeout(patience).Should(BeTrue())
}

// Closed reports whether the window is closed.
func (t *Tab) Closed() bool {
	targets, err := chromedp.Targets(t.parent)
	if err != nil {
		return true
	}
	own := chromedp.FromContext(t.ctx).Target.TargetID
	for _, open := range targets {
		if open.TargetID == own {
			return false
		}
	}
	return true
}

// Screenshot writes the whole page as a picture.
func (t *Tab) Screenshot(file string) {
	GinkgoHelper()
	picture, err := chromedp.Run(t.ctx, chromedp.FullScreenshot(100))
	Expect(err).NotTo(HaveOccurred())
	Expect(os.MkdirAll(filepath.Dir(file), 0o755)).To(Succeed())
	Expect(os.WriteFile(file, picture, 0o644)).To(Succeed())
}

// Looks are how a page may be looked at.
type Looks struct {
	Name          string
	Width, Height int64
	Phone, Dark   bool
}

// AllLooks gives phone and desktop, light and dark.
func AllLooks() []Looks {
	return []Looks{
		{"phone-light", 360, 640, true, false},
		{"phone-dark", 360, 640, true, true},
		{"desktop-light", 1024, 640, false, false},
		{"desktop-dark", 1024, 640, false, true},
	}
}

// Look has the page be looked at so.
func (t *Tab) Look(looks Looks) {
	GinkgoHelper()
	options := []chromedp.EmulateViewportOption{}
	if looks.Phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateScale(2))
	}
	scheme := "light"
	if looks.Dark {
		scheme = "dark"
	}
	t.Run(chromedp.EmulateViewport(looks.Width, looks.Height, options...))
	_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // or colors are still on their way
		},
	})
	Expect(err).NotTo(HaveOccurred())
}

// WithoutScripts has no page of the tab run scripts.
func (t *Tab) WithoutScripts() {
	GinkgoHelper()
	_, err := chromedp.Call(t.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	Expect(err).NotTo(HaveOccurred())
}
