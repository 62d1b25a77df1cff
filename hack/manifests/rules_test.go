// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	rulesFile = "config/prometheus/rules.yaml"
	runbooks  = "docs/runbooks/"
)

// alerts gives the rules as Prometheus reads them.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	found := objects(t, rulesFile)
	if len(found) != 1 || found[0].GetKind() != "PrometheusRule" || found[0].GetAPIVersion() != "monitoring.coreos.com/v1" {
		t.Fatalf("it is not one PrometheusRule: %v", found)
	}
	content, err := yaml.Marshal(found[0].Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	groups, mistakes := rulefmt.Parse(content, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	var rules []rulefmt.Rule
	for _, group := range groups.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// TestAlertsNameWhatThereIs: metrics, labels, and values of labels.
func TestAlertsNameWhatThereIs(t *testing.T) {
	metrics := documented(t)
	for _, rule := range alerts(t) {
		t.Run(rule.Alert+" "+rule.Labels["severity"], func(t *testing.T) { checkExpression(t, metrics, rule.Expr) })
	}
}

// TestAlertsSayWhatTheyMean: severity, summary, description, and a page.
func TestAlertsSayWhatTheyMean(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range alerts(t) {
		severity := rule.Labels["severity"]
		if severity != "critical" && severity != "warning" {
			t.Errorf("%s is %q", rule.Alert, severity)
		}
		if seen[rule.Alert+severity] {
			t.Errorf("there are two of %s, %s", rule.Alert, severity)
		}
		seen[rule.Alert+severity] = true
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s does not say what it is", rule.Alert)
		}
		if want := "https://github.com/claviger/claviger/blob/main/" + runbooks + rule.Alert + ".md"; rule.Annotations["runbook_url"] != want {
			t.Errorf("the page of %s is %s", rule.Alert, rule.Annotations["runbook_url"])
		}
		row := regexp.MustCompile(`(?m)^\| \[` + rule.Alert + `\]\(runbooks/` + rule.Alert + `\.md\) \| [a-z, ]*\b` + severity + `\b`)
		if !row.MatchString(text(t, "docs/observability.md")) {
			t.Errorf("docs/observability.md has no row of %s, %s", rule.Alert, severity)
		}
	}
}

// TestEveryAlertHasAPage, and every page an alert: what it means, what it does to whom, how to find out, and what helps. Expressions in
// it are held to the metrics, too.
func TestEveryAlertHasAPage(t *testing.T) {
	metrics, named := documented(t), map[string]bool{}
	for _, rule := range alerts(t) {
		named[rule.Alert] = true
	}
	files, err := os.ReadDir(filepath.Join(root, runbooks))
	if err != nil {
		t.Fatal(err)
	}
	expressions := regexp.MustCompile("(?s)```promql\n(.*?)```")
	for _, file := range files {
		alert := strings.TrimSuffix(file.Name(), ".md")
		if !named[alert] {
			t.Errorf("%s is of no alert", file.Name())
		}
		delete(named, alert)
		page := text(t, runbooks+file.Name())
		var headings []string
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "#") {
				headings = append(headings, strings.TrimSpace(line))
			}
		}
		if want := []string{"# " + alert, "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"}; !slices.Equal(headings, want) {
			t.Errorf("%s has %q", file.Name(), headings)
		}
		for _, block := range expressions.FindAllStringSubmatch(page, -1) {
			for line := range strings.Lines(block[1]) {
				checkExpression(t, metrics, line)
			}
		}
	}
	for alert := range named {
		t.Errorf("%s has no page", alert)
	}
}

// TestMonitorsFindTheRoles: one for each, and no label of a target hides one of a metric.
func TestMonitorsFindTheRoles(t *testing.T) {
	roles := map[string]string{"claviger-manager": "manager", "claviger-token-service": "token-service", "claviger-connect": "connect"}
	for _, monitor := range objects(t, "config/prometheus/monitors.yaml") {
		selector, _, _ := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
		role := roles[monitor.GetName()]
		if selector["app.kubernetes.io/name"] != "claviger" || selector["app.kubernetes.io/component"] != role || monitor.GetNamespace() != "claviger-system" {
			t.Errorf("%s selects %v", monitor.GetName(), selector)
		}
		checkEndpoint(t, monitor, monitor.GetName())
		delete(roles, monitor.GetName())
	}
	if len(roles) > 0 {
		t.Errorf("there is none of %v", roles)
	}
	for _, monitor := range objects(t, "config/prometheus/gate.yaml") {
		checkEndpoint(t, monitor, "claviger-gate")
	}
}

// checkEndpoint: the operator labels targets by what it finds them by. Where a metric has a label of that name, it would lose it.
func checkEndpoint(t *testing.T, monitor *unstructured.Unstructured, job string) {
	t.Helper()
	endpoints, _, _ := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
	if monitor.GetKind() != "ServiceMonitor" || len(endpoints) != 1 {
		t.Fatalf("%s is a %s with %d endpoints", monitor.GetName(), monitor.GetKind(), len(endpoints))
	}
	endpoint := endpoints[0].(map[string]any)
	relabelings, _, _ := unstructured.NestedSlice(endpoint, "relabelings")
	var dropped []string
	named := ""
	for _, relabeling := range relabelings {
		rule := relabeling.(map[string]any)
		if rule["action"] == "labeldrop" {
			dropped = append(dropped, rule["regex"].(string))
		} else if rule["targetLabel"] == "job" {
			named = rule["replacement"].(string)
		}
	}
	if endpoint["port"] != "metrics" || named != job {
		t.Errorf("%s scrapes port %v as job %s", monitor.GetName(), endpoint["port"], named)
	}
	for name, metric := range documented(t) {
		if !strings.HasPrefix(name, "claviger_") {
			continue
		}
		for _, label := range metric.labels {
			if slices.Contains([]string{"container", "endpoint", "instance", "job", "namespace", "pod", "service"}, label) && !slices.Contains(dropped, label) {
				t.Errorf("%s hides label %s of %s", monitor.GetName(), label, name)
			}
		}
	}
}
