// SPDX-License-Identifier: Apache-2.0

// Package chrome drives a real Chromium, headless, and holds every page to what a user's browser would complain of: anything on the
// console fails the spec.
package chrome

import (
	"context"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// commands are what Chromium is called, in Debian first.
var commands = []string{"chromium", "chromium-browser", "google-chrome"}

// Chrome is one that runs until the suite ends.
type Chrome struct{ ctx context.Context } //nolint:containedctx // the life of the browser

// Start starts Chromium. Where there is none it skips, which hack/test.sh reports; CI has it.
func Start() *Chrome {
	GinkgoHelper()
	path := find()
	if path == "" {
		if os.Getenv("CI") == "true" {
			Fail("there is no Chromium on this machine")
		}
		Skip("there is no Chromium on this machine")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		// Pages of a test are on this machine, and nothing else is to be looked up.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
	)
	if os.Geteuid() == 0 { // Chromium's sandbox refuses to run as root, as containers do
		options = append(options, chromedp.NoSandbox)
	}
	allocated, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	DeferCleanup(cancel)
	ctx, stop := chromedp.NewContext(allocated)
	DeferCleanup(stop)
	Expect(chromedp.Do(ctx)).To(Succeed(), "starting Chromium")
	return &Chrome{ctx: ctx}
}

func find() string {
	for _, command := range commands {
		if path, err := exec.LookPath(command); err == nil {
			return path
		}
	}
	return ""
}
