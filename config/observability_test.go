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
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	_ "sigs.k8s.io/controller-runtime" // registers the metrics of controllers
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/controllers/accountconnector"
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

// TestEveryLabelIsDocumented: each metric's, in its row of docs/observability.md, and none that it does not have.
func TestEveryLabelIsDocumented(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `(claviger_[a-z0-9_]+)` \\| (.*?) \\|")
	aside := regexp.MustCompile(`\([^)]*\)|, such as .*`)
	labels := metricLabels(t)
	for _, cells := range row.FindAllStringSubmatch(page(t, "observability.md"), -1) {
		var documented []string
		for _, label := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(aside.ReplaceAllString(cells[2], ""), -1) {
			documented = append(documented, label[1])
		}
		if in := labels[cells[1]]; !slices.Equal(documented, in) {
			t.Errorf("the row of %s has the labels %q, the code %q", cells[1], documented, in)
		}
	}
}

// metricLabels gives the labels of every metric, in the order in which the code has them.
func metricLabels(t *testing.T) map[string][]string {
	t.Helper()
	labels := map[string][]string{}
	for name, file := range literals(t, `^claviger_[a-z0-9_]+$`, "internal", "controllers") {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok && len(call.Args) > 0 && mentions(call.Args[0], name) {
				labels[name] = append(constLabels(call.Args[0]), stringList(call.Args)...)
			}
			return true
		})
	}
	return labels
}

// mentions reports whether an expression is a text, or the options of a metric with that name.
func mentions(expression ast.Expr, text string) bool {
	switch found := expression.(type) {
	case *ast.BasicLit:
		return found.Value == strconv.Quote(text)
	case *ast.CompositeLit:
		return slices.ContainsFunc(found.Elts, func(element ast.Expr) bool {
			pair, ok := element.(*ast.KeyValueExpr)
			return ok && mentions(pair.Value, text)
		})
	}
	return false
}

// constLabels gives the keys of the ConstLabels in the options of a metric.
func constLabels(options ast.Expr) []string {
	var found []string
	ast.Inspect(options, func(node ast.Node) bool {
		if labels, ok := node.(*ast.CompositeLit); ok && labels != options {
			for _, element := range labels.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok {
					found = append(found, strings.Trim(pair.Key.(*ast.BasicLit).Value, `"`))
				}
			}
		}
		return true
	})
	return found
}

// stringList gives the elements of the argument that is a []string{...}.
func stringList(arguments []ast.Expr) []string {
	var found []string
	for _, argument := range arguments {
		list, ok := argument.(*ast.CompositeLit)
		if !ok {
			continue
		}
		if _, isList := list.Type.(*ast.ArrayType); !isList {
			continue
		}
		for _, element := range list.Elts {
			if text, ok := element.(*ast.BasicLit); ok {
				found = append(found, strings.Trim(text.Value, `"`))
			}
		}
	}
	return found
}

// TestMetricsOfTheLibraryAreThere: those that docs/observability.md names are registered by controller-runtime, with these labels.
func TestMetricsOfTheLibraryAreThere(t *testing.T) {
	registered, described := make(chan *prometheus.Desc), map[string]bool{}
	go func() {
		metrics.Registry.(prometheus.Collector).Describe(registered)
		close(registered)
	}()
	// The name and the labels of a description are in its text alone.
	for description := range registered {
		text := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`).FindStringSubmatch(description.String())
		described[text[1]+" "+text[2]] = true
	}
	rows := regexp.MustCompile("(?m)^\\| `((?:leader|controller|workqueue)_\\w+)` \\| (.*?) \\|").FindAllStringSubmatch(page(t, "observability.md"), -1)
	if len(rows) == 0 {
		t.Fatal("none is named")
	}
	for _, row := range rows {
		labels := strings.NewReplacer("`", "", ", ", ",").Replace(regexp.MustCompile(` \([^)]*\)`).ReplaceAllString(row[2], ""))
		if !described[row[1]+" "+labels] {
			t.Errorf("there is no %s with the labels %s", row[1], labels)
		}
	}
}

// TestAlertsNameReasonsThatThereAre, and the one about connections names all that need a human, but those that somebody has given and the
// first sign-in, which is none of an operator's business.
func TestAlertsNameReasonsThatThereAre(t *testing.T) {
	content, err := os.ReadFile("prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reasons := constants(t, "conditions.go", "Reason")
	reasons[issuer.ReasonBadGuard] = "of a verdict"
	for _, found := range regexp.MustCompile(`reason[=!]~?"([^"]+)"`).FindAllStringSubmatch(string(content), -1) {
		for reason := range strings.SplitSeq(found[1], "|") {
			if reasons[reason] == "" {
				t.Errorf("there is no reason %s", reason)
			}
		}
	}
	named := regexp.MustCompile(`claviger_connections\{reason=~"([^"]+)"`).FindStringSubmatch(string(content))
	if named == nil {
		t.Fatal("there is no alert about connections")
	}
	expected := []string{v1alpha1.ReasonSignInRequired, v1alpha1.ReasonSuspended, v1alpha1.ReasonAccountSuspended, v1alpha1.ReasonNamespaceNotAllowed}
	for reason := range reasons {
		if want := accountconnector.NeedsHuman(reason) && !slices.Contains(expected, reason); want != slices.Contains(strings.Split(named[1], "|"), reason) {
			t.Errorf("%s is named: %v", reason, !want)
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
