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

	out := runInClone(t, repository, script.String())
	statuses := regexp.MustCompile(`HTTP/1\.1 (\d+)`).FindAllStringSubmatch(out, -1)
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
		if !strings.Contains(out, line) || !strings.Contains(string(readme), line) {
			t.Errorf("README and output do not both have the line %s", line)
		}
	}
}

// runInClone runs a script at the root of a clone whose sandbox runs, and gives what it prints.
func runInClone(t *testing.T, repository, script string) string {
	t.Helper()
	clone := t.TempDir()
	for _, name := range []string{"config", "hack", "Makefile", "go.mod"} {
		check(t, os.Symlink(filepath.Join(repository, name), filepath.Join(clone, name)))
	}
	start(t, filepath.Join(clone, ".sandbox"), "--listen", "127.0.0.1:0")
	command := exec.Command("bash", "-euo", "pipefail", "-c", script)
	command.Dir = clone
	command.Env = append(os.Environ(), "no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestTheExampleOfTheConnectRoleWorksWordByWord: from a token of the backend to a link, and to the state of the connection. The sandbox
// takes free ports, so the sample's application is not where the sample says; a link is made all the same.
func TestTheExampleOfTheConnectRoleWorksWordByWord(t *testing.T) {
	repository, err := filepath.Abs("../..")
	check(t, err)
	page, err := os.ReadFile(filepath.Join(repository, "docs", "connect.md"))
	check(t, err)
	_, example, _ := strings.Cut(string(page), "\n## An example\n")
	_, example, _ = strings.Cut(example, "```sh\n")
	example, _, _ = strings.Cut(example, "```")
	out := runInClone(t, repository, `set -a; source .sandbox/env; set +a
PATH=$PATH:$(make -s control-plane)
kubectl apply -f config/samples -f config/samples/connection
kubectl wait -n claviger-system clientcredential/console --for=condition=Ready --timeout=30s
kubectl wait -n acme accountconnector/crm --for=jsonpath='{.status.id}'=acme.crm --timeout=30s
for nap in {1..100}; do sleep 0.01; done
`+example)
	link := regexp.MustCompile(`(?m)^http://127\.0\.0\.1:\d+/connectorauth/updateaccountconnectoroauth\?token=[A-Za-z0-9_-]{43}$`)
	if !link.MatchString(out) || !strings.Contains(out, `"State":"SignInRequired"`) {
		t.Errorf("there is no link, or no state:\n%s", out)
	}
}
