// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// metric is what docs/observability.md says of one. That page is held to the code by the tests of package config.
type metric struct {
	labels    []string
	values    map[string][]string // those of labels whose values are listed
	histogram bool
}

// targetLabels are those that Prometheus adds to what it scrapes, with the monitors of config/prometheus.
var targetLabels = []string{"instance", "job", "namespace", "pod"}

var (
	metricRow   = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+_[a-z0-9_]+)` \\| (.*?) \\| (.*) \\|$")
	labelInCell = regexp.MustCompile("`([a-z_]+)`(?: \\(([^)]*)\\))?")
	quoted      = regexp.MustCompile("`([^`]+)`")
	selected    = regexp.MustCompile(`^[A-Za-z0-9_|-]+$`)
)

// documented gives the metrics of docs/observability.md.
func documented(t *testing.T) map[string]metric {
	t.Helper()
	page := text(t, "docs/observability.md")
	found := map[string]metric{"up": {}}
	section := ""
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			section = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
		row := metricRow.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if row == nil {
			continue
		}
		entry := metric{values: map[string][]string{}, histogram: strings.HasPrefix(row[3], "histogram")}
		cell, _, isOpen := strings.Cut(row[2], ", such as")
		for _, label := range labelInCell.FindAllStringSubmatch(cell, -1) {
			entry.labels = append(entry.labels, label[1])
			for _, value := range quoted.FindAllStringSubmatch(label[2], -1) {
				if !isOpen {
					entry.values[label[1]] = append(entry.values[label[1]], value[1])
				}
			}
		}
		if section == "Objects" {
			entry.labels = append(entry.labels, "name")
		}
		found[row[1]] = entry
	}
	if len(found) < 40 {
		t.Fatalf("found no more than %d metrics", len(found))
	}
	return found
}

// lookUp finds the metric that a series is of, and whether it may have label le.
func lookUp(metrics map[string]metric, series string) (metric, bool, bool) {
	if found, ok := metrics[series]; ok {
		return found, false, !found.histogram
	}
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if name, cut := strings.CutSuffix(series, suffix); cut {
			found := metrics[name]
			return found, suffix == "_bucket", found.histogram
		}
	}
	return metric{}, false, false
}

// checkExpression reports what an expression names that there is not: metrics, labels, and values where all are listed.
func checkExpression(t *testing.T, metrics map[string]metric, text string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Errorf("%v in %s", err, text)
		return
	}
	allowed := map[string]bool{}
	for _, matchers := range parser.ExtractSelectors(expression) {
		at := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel })
		if at < 0 || matchers[at].Type != labels.MatchEqual {
			t.Errorf("a selector names no metric: %s", text)
			continue
		}
		series := matchers[at].Value
		known, isBucket, exists := lookUp(metrics, series)
		if !exists {
			t.Errorf("docs/observability.md has no %s: %s", series, text)
			continue
		}
		own := slices.Concat(known.labels, targetLabels)
		if isBucket {
			own = append(own, "le")
		}
		for _, label := range own {
			allowed[label] = true
		}
		for _, matcher := range matchers {
			if matcher.Name != model.MetricNameLabel {
				checkMatcher(t, known, own, matcher)
			}
		}
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if aggregate, ok := node.(*parser.AggregateExpr); ok {
			for _, label := range aggregate.Grouping {
				if !allowed[label] {
					t.Errorf("no metric has label %s: %s; there are %q", label, text, slices.Sorted(maps.Keys(allowed)))
				}
			}
		}
		return nil
	})
}

func checkMatcher(t *testing.T, known metric, own []string, matcher *labels.Matcher) {
	t.Helper()
	if !slices.Contains(own, matcher.Name) {
		t.Errorf("it has no label %s: %s", matcher.Name, matcher)
	}
	if listed := known.values[matcher.Name]; len(listed) > 0 && selected.MatchString(matcher.Value) {
		for value := range strings.SplitSeq(matcher.Value, "|") {
			if !slices.Contains(listed, value) {
				t.Errorf("there is no value %s: %s; there are %q", value, matcher, listed)
			}
		}
	}
}
