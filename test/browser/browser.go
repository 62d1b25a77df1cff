// SPDX-License-Identifier: Apache-2.0

// Package browser has suites drive pages in a real browser: Debian's Chromium, without a window. Each page is in a browser context of its
// own, as a private window is, and a spec in which a page reports an error on its console fails.
package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Browser is one that runs until the suite ends.
type Browser struct {
	ctx   context.Context //nolint:containedctx // chromedp keeps a browser in one
	scrub func(string) string
}

// errMissing says that this machine has no browser.
var errMissing = errors.New("there is no Chromium on this machine")

// Start starts a browser. scrub takes secrets out of what a failing spec prints; it may be nil. Specs are skipped on a machine without
// Chromium, which hack/test.sh reports; CI has it.
func Start(scrub func(string) string) *Browser {
	GinkgoHelper()
	path, err := find()
	if err != nil {
		if os.Getenv("CI") == "true" {
			Fail(err.Error())
		}
		Skip(err.Error())
	}
	if scrub == nil {
		scrub = func(text string) string { return text }
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		// Whatever a page names, nothing leaves this machine: an origin of a test is a name below .test, or localhost.
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1, MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("no-proxy-server", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have, and a container seldom has another user
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	DeferCleanup(stop)
	logf := func(format string, args ...any) {} // its own complaints are about itself, and may quote a page
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(logf), chromedp.WithLogf(logf))
	DeferCleanup(cancel)
	Expect(chromedp.Do(ctx)).To(Succeed(), "starting the browser")
	return &Browser{ctx: ctx, scrub: scrub}
}

func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errMissing
}
