// SPDX-License-Identifier: Apache-2.0

package version

import (
	"strings"
	"testing"
)

// TestLine: what was stamped wins over what Go noted, and something is told where there is neither.
func TestLine(t *testing.T) {
	if got := Line("claviger"); !strings.HasPrefix(got, "claviger ") || Version() == "" || Commit() == "" {
		t.Errorf("without a stamp: %q", got)
	}
	version, commit = "v1.2.3", "0123abc-dirty"
	t.Cleanup(func() { version, commit = "", "" })
	if got := Line("claviger"); !strings.HasPrefix(got, "claviger v1.2.3, commit 0123abc-dirty, go") {
		t.Errorf("with one: %q", got)
	}
}
