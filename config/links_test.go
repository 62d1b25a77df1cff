// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// TestLinksLeadSomewhere: every link of a page to a file of the repository, and to a heading of a page.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := map[string]document{}
	for _, page := range documents(t) {
		pages[page.path] = page
	}
	for _, page := range pages {
		for _, link := range page.links() {
			to, anchor, _ := strings.Cut(link, "#")
			if strings.Contains(to, ":") {
				continue // elsewhere in the world
			}
			target := page.path
			if to != "" {
				target = path.Join(path.Dir(page.path), to)
			}
			if _, err := os.Stat(filepath.Join("..", target)); err != nil || strings.HasPrefix(target, "..") {
				t.Errorf("%s: there is no %s", page.path, link)
			} else if there, isPage := pages[target]; isPage && anchor != "" && !there.anchors()[anchor] {
				t.Errorf("%s: there is no heading %s", page.path, link)
			}
		}
	}
}

// TestNoLinkIsWrittenInVain: what Markdown does not take for a link, such as one whose target has a blank, reads as brackets.
func TestNoLinkIsWrittenInVain(t *testing.T) {
	for _, page := range documents(t) {
		each(page, func(text *ast.Text) {
			if _, code := text.Parent().(*ast.CodeSpan); !code && strings.Contains(string(text.Value(page.source)), "](") {
				t.Errorf("%s: %s", page.path, text.Value(page.source))
			}
		})
	}
}

// TestTheIndexNamesEveryPage below docs, so that whoever begins at docs/README.md finds it. Runbooks have their index with the alerts.
func TestTheIndexNamesEveryPage(t *testing.T) {
	index := readDocument(t, "docs/README.md")
	named := map[string]bool{index.path: true}
	for _, link := range index.links() {
		to, _, _ := strings.Cut(link, "#")
		named[path.Join("docs", to)] = true
	}
	for _, page := range documents(t) {
		if strings.HasPrefix(page.path, "docs/") && !strings.HasPrefix(page.path, "docs/runbooks/") && !named[page.path] {
			t.Errorf("docs/README.md does not name %s: add a line", page.path)
		}
	}
}

// TestTheThreatModelNamesTests that there are: the text of a link to a file of tests is the name of one in it.
func TestTheThreatModelNamesTests(t *testing.T) {
	page, named := readDocument(t, "docs/security.md"), 0
	each(page, func(link *ast.Link) {
		to := path.Join("docs", string(link.Destination))
		if !strings.HasSuffix(to, "_test.go") {
			return
		}
		content, err := os.ReadFile(filepath.Join("..", to))
		if err != nil {
			t.Fatal(err)
		}
		named++
		if name := page.plain(link); !strings.Contains(string(content), "\""+name+"\"") && !strings.Contains(string(content), name+"(") {
			t.Errorf("%s has no test %q", to, name)
		}
	})
	if named < 50 {
		t.Errorf("it names %d tests", named)
	}
}
