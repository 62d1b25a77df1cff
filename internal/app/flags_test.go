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

// TestCommandsOfTheGuideToTLS: every flag in them is one of the role's, with a value that it takes.
func TestCommandsOfTheGuideToTLS(t *testing.T) {
	page, err := os.ReadFile("../../docs/guides/tls.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for line := range strings.Lines(string(page)) {
		words := strings.Fields(strings.ReplaceAll(line, `""`, ""))
		if len(words) < 2 || words[0] != "claviger" {
			continue
		}
		tried++
		role, rest, err := NewCommand().Find(words[1:])
		if err != nil || role.ParseFlags(rest) != nil {
			t.Errorf("%s: %v, %v", strings.TrimSpace(line), err, role.ParseFlags(rest))
		}
	}
	if tried < 5 {
		t.Errorf("%d commands were found", tried)
	}
}
