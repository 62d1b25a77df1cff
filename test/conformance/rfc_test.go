// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
)

// rfc is a document that Claviger keeps to.
type rfc struct {
	number int
	title  string
	// scope says which of its parts concern an authorization server, or a resource server, as Claviger is one.
	scope   string
	clauses []clause
}

// clause is one requirement, in our own words, and the proof that it is met.
type clause struct {
	// section of the RFC, such as "5.1".
	section string
	// must completes "Claviger must": it is the name of the spec too.
	must string
	hold func()
	// divergence says what is otherwise than the RFC has it, or more than it asks for, and why. Empty for most.
	divergence string
}

// rfcs is the table that docs/rfc-conformance.md is made from.
func rfcs() []rfc {
	return []rfc{rfc6749(), rfc6750(), rfc7009(), rfc7662(), rfc8414(), rfc8707(), rfc9068(), rfc9728()}
}

var _ = Describe("the RFCs, section by section:", func() {
	for _, document := range rfcs() {
		for _, c := range document.clauses {
			It(fmt.Sprintf("RFC %d section %s: %s", document.number, c.section, c.must), c.hold)
		}
	}
})

const rfcPage = "../../docs/rfc-conformance.md"

var update = flag.Bool("update", false, "write docs/rfc-conformance.md anew")

// TestRFCPage holds docs/rfc-conformance.md to the table.
func TestRFCPage(t *testing.T) {
	want := page(rfcs())
	if *update {
		if err := os.WriteFile(rfcPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(rfcPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/rfc-conformance.md is not what the table of test/conformance makes: run make rfc-table")
	}
}

// TestRFCTable: each clause has a proof, and no name twice.
func TestRFCTable(t *testing.T) {
	seen := map[string]bool{}
	for _, document := range rfcs() {
		for _, c := range document.clauses {
			name := fmt.Sprintf("RFC %d section %s: %s", document.number, c.section, c.must)
			if c.hold == nil || c.section == "" || seen[name] {
				t.Errorf("%s: it must have a section, a proof, and a name of its own", name)
			}
			seen[name] = true
		}
	}
}

func page(documents []rfc) string {
	var b strings.Builder
	b.WriteString(`# RFC conformance

<!-- Made from the table in test/conformance/rfc*_test.go by make rfc-table. Change it there. -->

What the RFCs ask of an authorization server and of a resource server, as far as Claviger is one, in our own words. Each line is a
test of that name in [test/conformance](../test/conformance), which speaks plain HTTP to the real roles on a real API server:

` + "```sh\nKUBEBUILDER_ASSETS=$(make -s control-plane) go test ./test/conformance -v -ginkgo.focus 'RFC 6749 section 5'\n```\n")
	for _, document := range documents {
		fmt.Fprintf(&b, "\n## RFC %d: %s\n\n%s\n\n| section | Claviger must |\n|---|---|\n", document.number, document.title, document.scope)
		var divergences []clause
		for _, c := range document.clauses {
			fmt.Fprintf(&b, "| [%s](https://www.rfc-editor.org/rfc/rfc%d#section-%s) | %s |\n", c.section, document.number, c.section, escape(c.must))
			if c.divergence != "" {
				divergences = append(divergences, c)
			}
		}
		if len(divergences) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\nWhere it is otherwise, or more:\n\n")
		for _, c := range divergences {
			fmt.Fprintf(&b, "- **%s** (%s). %s\n", c.section, escape(c.must), c.divergence)
		}
	}
	return b.String()
}

func escape(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
