// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/term"
)

// opener is the command that opens a URL in the user's browser.
func opener(system string) []string {
	switch system {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	default:
		return []string{"xdg-open"}
	}
}

// browse opens a URL where somebody sits at a terminal. Where that cannot be done, the URL that was printed is all that is needed.
func (c *connectCommand) browse(ctx context.Context, url string) {
	out, isFile := c.Out.(*os.File)
	if !c.open || !isFile || !term.IsTerminal(int(out.Fd())) {
		return
	}
	command := opener(runtime.GOOS)
	// The browser stays when the plugin ends.
	start := exec.CommandContext(context.WithoutCancel(ctx), command[0], append(command[1:], url)...) //nolint:gosec // G204: a program of the system, and a URL of ours
	if err := start.Start(); err != nil {
		c.note("Open the link in a browser.")
		return
	}
	_ = start.Process.Release()
}
