// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheQuickStartWorksWordByWord runs every shell block of the README's quick start, from the second terminal on, as one
// script at the root of a clone.
func TestTheQuickStartWorksWordByWord(t *testing.T) {
	repository, err := filepath.Abs("../..")
	check(t, err)
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	check(t, err)
	_, quickStart, _ := strings.Cut(string(readme), "In another terminal")
	quickStart, _, _ = strings.Cut(quickStart, "\n## ")
	var script strings.Builder
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(quickStart, -1)
	for _, block := range blocks {
		// The README tells the reader that a suspension takes up to a second. It is slept in naps, whose number does not
		// grow while a machine stands still.
		if strings.Contains(script.String(), `"suspend":true`) {
			script.WriteString("for nap in {1..100}; do sleep 0.01; done\n")
		}
		script.WriteString(block[1])
	}

	clone := t.TempDir()
	for _, name := range []string{"config", "hack", "Makefile", "go.mod"} {
		check(t, os.Symlink(filepath.Join(repository, name), filepath.Join(clone, name)))
	}
	start(t, filepath.Join(clone, ".sandbox"), "--listen", "127.0.0.1:0")
	command := exec.Command("bash", "-euo", "pipefail", "-c", script.String())
	command.Dir = clone
	command.Env = append(os.Environ(), "no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	statuses := regexp.MustCompile(`HTTP/1\.1 (\d+)`).FindAllStringSubmatch(string(out), -1)
	var got []string
	for _, status := range statuses {
		got = append(got, status[1])
	}
	if want := []string{"200", "401", "403", "401"}; !slices.Equal(got, want) {
		t.Errorf("the calls were answered with %v, the README says %v", got, want)
	}
	for _, line := range []string{
		`{"token_type":"bearer","access_token":"...","expires_in":3600,"clientId":"acme.orders","scope":"Webhook"}`,
		"clientcredential.claviger.dev/orders condition met",
	} {
		if !strings.Contains(string(out), line) || !strings.Contains(string(readme), line) {
			t.Errorf("README and output do not both have the line %s", line)
		}
	}
}
