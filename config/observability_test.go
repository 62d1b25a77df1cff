// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/issuer"
)

// literals gives every string in product code of these folders that matches, with the file it stands in.
func literals(t *testing.T, pattern string, folders ...string) map[string]string {
	t.Helper()
	matches, found := regexp.MustCompile(pattern), map[string]string{}
	for _, folder := range folders {
		err := filepath.WalkDir("../"+folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(parsed, func(node ast.Node) bool {
				if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if value, err := strconv.Unquote(literal.Value); err == nil && matches.MatchString(value) {
						found[value] = path
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestEveryMetricIsDocumented in the tables of docs/observability.md, and none that there is not.
func TestEveryMetricIsDocumented(t *testing.T) {
	metrics := literals(t, `^claviger_[a-z0-9_]+$`, "internal", "controllers")
	if len(metrics) < 5 {
		t.Fatalf("found no more than %v", metrics)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(claviger_[a-z0-9_]+)` \\|").FindAllStringSubmatch(page(t, "observability.md"), -1) {
		documented[row[1]] = true
		if metrics[row[1]] == "" {
			t.Errorf("there is no metric %s", row[1])
		}
	}
	for metric, file := range metrics {
		if !documented[metric] {
			t.Errorf("docs/observability.md has no row for %s, of %s", metric, file)
		}
	}
}

// TestEveryReasonOfAVerdictIsDocumented, whatever package it is of.
func TestEveryReasonOfAVerdictIsDocumented(t *testing.T) {
	table := sections(page(t, "observability.md"), "#### Reasons of verdicts")
	reasons := map[string]bool{issuer.ReasonOther: true}
	for _, file := range []string{"../internal/issuer/reasons.go", "../internal/token/reason.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, constant := range regexp.MustCompile(`(?m)^\tReason\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			reasons[constant[1]] = true
		}
	}
	if len(reasons) < 15 {
		t.Fatalf("found no more than %v", reasons)
	}
	for reason := range reasons {
		if !strings.Contains(table, "`"+reason+"`") {
			t.Errorf("the table does not have %s", reason)
		}
	}
}
