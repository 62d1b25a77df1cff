// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// dashboard is one of Grafana, as far as it can be wrong.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct{ Name, Type, Query string }
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []struct {
		RefID, Expr, LegendFormat string
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var found dashboard
	if err := json.Unmarshal([]byte(text(t, "config/grafana/claviger.json")), &found); err != nil {
		t.Fatal(err)
	}
	if found.UID != "claviger" || found.Title == "" || found.SchemaVersion == 0 {
		t.Errorf("got %q, %q, schema %d", found.UID, found.Title, found.SchemaVersion)
	}
	return found
}

// TestTheDashboardNamesWhatThereIs: metrics, labels and their values, variables, and labels in legends.
func TestTheDashboardNamesWhatThereIs(t *testing.T) {
	metrics, found := documented(t), readDashboard(t)
	variables := map[string]bool{"__rate_interval": true}
	for _, variable := range found.Templating.List {
		variables[variable.Name] = true
		if query, is := strings.CutPrefix(variable.Query, "label_values("); is {
			selector, label, _ := strings.Cut(strings.TrimSuffix(query, ")"), "}, ")
			checkExpression(t, metrics, "sum by ("+label+") ("+selector+"})")
		}
	}
	used, legend := regexp.MustCompile(`\$\{?(\w+)`), regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, panel := range found.Panels {
		for _, target := range panel.Targets {
			for _, variable := range used.FindAllStringSubmatch(target.Expr, -1) {
				if !variables[variable[1]] {
					t.Errorf("%s: there is no variable %s", panel.Title, variable[1])
				}
			}
			expression := strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*").Replace(target.Expr)
			checkExpression(t, metrics, expression)
			for _, label := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !has(expression, label[1]) {
					t.Errorf("%s: the legend shows %s, which %s takes away", panel.Title, label[1], target.Expr)
				}
			}
		}
	}
}

// has reports whether a label is left by an expression: named in each aggregation, where there is one.
func has(expression, label string) bool {
	aggregations := regexp.MustCompile(`\b(?:sum|max|min|count) (?:by \(([^)]*)\) )?\(|\b(?:sum|max|min|count)\(`).FindAllStringSubmatch(expression, -1)
	for _, aggregation := range aggregations {
		if !regexp.MustCompile(`\b` + label + `\b`).MatchString(aggregation[1]) {
			return false
		}
	}
	return true
}

// TestTheDashboardIsLaidOut: every panel says what it shows, has a number of its own, and lies over no other.
func TestTheDashboardIsLaidOut(t *testing.T) {
	taken, numbers := map[[2]int]string{}, map[int]bool{}
	for _, panel := range readDashboard(t).Panels {
		if numbers[panel.ID] || panel.ID == 0 || panel.Title == "" {
			t.Errorf("%d, %q", panel.ID, panel.Title)
		}
		numbers[panel.ID] = true
		if panel.Type != "row" && (panel.Description == "" || len(panel.Targets) == 0) {
			t.Errorf("%s shows nothing, or does not say what", panel.Title)
		}
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies over %q, or beyond the edge", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
	}
}

// TestTheDashboardShows what somebody on call looks for.
func TestTheDashboardShows(t *testing.T) {
	var all strings.Builder
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			all.WriteString(target.Expr + "\n")
		}
	}
	for _, metric := range []string{
		"claviger_token_requests_total", "claviger_verify_requests_total", "claviger_http_request_duration_seconds_bucket", "claviger_limited_requests_total",
		"claviger_connections", "claviger_connection_refreshes_total", "leader_election_master_status", "claviger_signing_keys", "claviger_certificate_expiry_timestamp_seconds",
	} {
		if !strings.Contains(all.String(), metric) {
			t.Errorf("it does not show %s", metric)
		}
	}
}
