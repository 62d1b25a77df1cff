// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	heading = regexp.MustCompile(`^#+ (.*)$`)
	link    = regexp.MustCompile(`(?:\]\(|src="|srcset=")([^)"\s]+)`)
	unused  = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)
)

// anchors gives the headings of a page as links name them.
func anchors(text string) map[string]bool {
	found, fenced := map[string]bool{}, false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		matches := heading.FindStringSubmatch(strings.TrimSpace(line))
		if matches == nil || fenced {
			continue
		}
		name := strings.ReplaceAll(unused.ReplaceAllString(strings.ToLower(matches[1]), ""), " ", "-")
		anchor := name
		for i := 1; found[anchor]; i++ {
			anchor = fmt.Sprintf("%s-%d", name, i)
		}
		found[anchor] = true
	}
	return found
}

// TestLinksLeadSomewhere: every link of a page to a file of the repository, and to a heading of another page.
func TestLinksLeadSomewhere(t *testing.T) {
	written := []string{"../README.md", "../CHANGELOG.md", "../CONTRIBUTING.md", "../SECURITY.md"}
	if err := filepath.WalkDir("../docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			written = append(written, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, file := range written {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			to, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(to, ":") {
				continue // elsewhere in the world
			}
			target := file
			if to != "" {
				target = filepath.Join(filepath.Dir(file), to)
			}
			content, err := os.ReadFile(target)
			if _, statErr := os.Stat(target); statErr != nil {
				t.Errorf("%s: there is no %s", file, found[1])
			} else if err == nil && anchor != "" && strings.HasSuffix(target, ".md") && !anchors(string(content))[anchor] {
				t.Errorf("%s: there is no heading %s", file, found[1])
			}
		}
	}
}
