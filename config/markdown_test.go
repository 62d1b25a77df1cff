// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// document is a page as Markdown has it, with the extensions of GitHub's.
type document struct {
	path   string // from the root of the repository, with slashes
	source []byte
	root   ast.Node
}

// block is a fenced block of code.
type block struct {
	page, language, code string
	line                 int
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// documents reads every page of the repository but those of the folders that Git ignores.
func documents(t *testing.T) []document {
	t.Helper()
	ignored := []string{".git", "bin", ".sandbox", ".artifacts", "node_modules"}
	var all []document
	if err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(ignored, entry.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		all = append(all, readDocument(t, strings.TrimPrefix(filepath.ToSlash(path), "../")))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) < 25 {
		t.Fatalf("there are %d pages", len(all))
	}
	return all
}

func readDocument(t *testing.T, path string) document {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	return document{path: path, source: source, root: parser.Parse(text.NewReader(source))}
}

// each calls a function for each node of a kind.
func each[T ast.Node](d document, visit func(T)) {
	_ = ast.Walk(d.root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if found, ok := node.(T); ok && entering {
			visit(found)
		}
		return ast.WalkContinue, nil
	})
}

// plain gives the text of a node without its mark-up.
func (d document) plain(node ast.Node) string {
	var found strings.Builder
	_ = ast.Walk(node, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		switch node := node.(type) {
		case *ast.Text:
			if entering {
				found.Write(node.Segment.Value(d.source))
			}
		case *ast.String:
			if entering {
				found.Write(node.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return found.String()
}

// unused is what GitHub leaves out of anchors.
var unused = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)

// anchors gives the headings of a page as GitHub has links name them.
func (d document) anchors() map[string]bool {
	found := map[string]bool{}
	each(d, func(heading *ast.Heading) {
		name := strings.ReplaceAll(unused.ReplaceAllString(strings.ToLower(d.plain(heading)), ""), " ", "-")
		anchor := name
		for i := 1; found[anchor]; i++ {
			anchor = fmt.Sprintf("%s-%d", name, i)
		}
		found[anchor] = true
	})
	return found
}

// attribute is what leads somewhere in the HTML of a page.
var attribute = regexp.MustCompile(`(?:src|srcset|href)="([^"\s]+)`)

// links gives where the links and images of a page lead.
func (d document) links() []string {
	var found []string
	each(d, func(link *ast.Link) { found = append(found, string(link.Destination)) })
	each(d, func(image *ast.Image) { found = append(found, string(image.Destination)) })
	html := func(lines *text.Segments) {
		for _, match := range attribute.FindAllSubmatch(lines.Value(d.source), -1) {
			found = append(found, string(match[1]))
		}
	}
	each(d, func(block *ast.HTMLBlock) { html(block.Lines()) })
	each(d, func(raw *ast.RawHTML) { html(raw.Segments) })
	return found
}

// blocks gives the fenced blocks of code of a page.
func (d document) blocks() []block {
	var found []block
	each(d, func(fenced *ast.FencedCodeBlock) {
		line := 1
		if fenced.Lines().Len() > 0 {
			line += strings.Count(string(d.source[:fenced.Lines().At(0).Start]), "\n")
		}
		found = append(found, block{d.path, string(fenced.Language(d.source)), string(fenced.Lines().Value(d.source)), line})
	})
	return found
}
