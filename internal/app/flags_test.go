// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestEveryFlagIsDocumented in docs/flags.md.
func TestEveryFlagIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range NewCommand().Commands() {
		role.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Name != "help" && !strings.Contains(string(page), "| `--"+flag.Name+"` |") {
				t.Errorf("docs/flags.md has no row for --%s of %s", flag.Name, role.Name())
			}
		})
	}
}
