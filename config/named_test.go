// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
)

// fieldsOfOthers are those that pages name of kinds which are not ours, such as a Deployment: add what a page needs.
var fieldsOfOthers = []string{"spec.replicas", "spec.template"}

// TestFieldsAndMetricsThatPagesNameExist: what a page calls spec.this, status.that or claviger_so_and_so is there by that name.
func TestFieldsAndMetricsThatPagesNameExist(t *testing.T) {
	paths := map[string]bool{}
	for _, part := range []string{"spec", "status"} {
		for _, schema := range schemas(t, part) {
			for _, field := range fields(schema) {
				path := part
				for name := range strings.SplitSeq(field, ".") {
					path += "." + name
					paths[path] = true
				}
			}
		}
	}
	metrics := literals(t, `^claviger_[a-z_]+$`, "internal", "controllers")
	field, metric := regexp.MustCompile(`^(?:spec|status)(?:\.\w+(?:\[\])?)+`), regexp.MustCompile(`^claviger_[a-z_]+`)
	named := 0
	for _, page := range documents(t) {
		each(page, func(code *ast.CodeSpan) {
			text := page.plain(code)
			if path := strings.ReplaceAll(field.FindString(text), "[]", ""); path != "" {
				if named++; !paths[path] && !slices.ContainsFunc(fieldsOfOthers, func(theirs string) bool { return strings.HasPrefix(path, theirs) }) {
					t.Errorf("%s: no kind has %s", page.path, text)
				}
			}
			name := metric.FindString(text)
			for _, part := range []string{"_bucket", "_count", "_sum"} { // those of a histogram
				name = strings.TrimSuffix(name, part)
			}
			if name != "" && metrics[name] == "" {
				t.Errorf("%s: there is no metric %s", page.path, text)
			}
		})
	}
	if named < 200 {
		t.Errorf("pages name %d fields", named)
	}
}
