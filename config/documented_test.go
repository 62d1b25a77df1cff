// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/claviger/claviger/api/v1alpha1"
)

// pages are those that say everything of a kind.
var pages = map[string]string{
	"Account":           "account.md",
	"AccountConnector":  "accountconnector.md",
	"ClientCredential":  "clientcredential.md",
	"Connector":         "connector.md",
	"ProtectedResource": "protectedresource.md",
	"RevokedToken":      "revokedtoken.md",
}

func page(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// sections gives the text of a page from each heading that begins so to the next one of that rank.
func sections(text, heading string) string {
	rank, _, _ := strings.Cut(heading, " ")
	var found strings.Builder
	for _, section := range strings.Split("\n"+text, "\n"+rank+" ") {
		if strings.HasPrefix(rank+" "+section, heading) {
			found.WriteString(section)
		}
	}
	return found.String()
}

// names reports whether a text names a field, alone or with the path before it.
func names(text, field string) bool {
	last := field[strings.LastIndex(field, ".")+1:]
	return strings.Contains(text, "`"+last+"`") || strings.Contains(text, "."+last+"`")
}

func TestEveryFieldIsDocumented(t *testing.T) {
	specs, statuses := schemas(t, "spec"), schemas(t, "status")
	for kind, file := range pages {
		text := page(t, file)
		for _, field := range fields(specs[kind]) {
			top, _, _ := strings.Cut(field, ".")
			if !names(sections(text, "### `spec."+top), field) {
				t.Errorf("%s does not say what spec.%s is", file, field)
			}
		}
		if statuses[kind] == nil {
			continue
		}
		for _, field := range fields(statuses[kind]) {
			if !strings.HasPrefix(field, "conditions.") && !names(sections(text, "## Status"), field) {
				t.Errorf("%s does not say what status.%s is", file, field)
			}
		}
	}
}

// constants gives those of a file of the API whose name begins so, by their values.
func constants(t *testing.T, file, prefix string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "../api/v1alpha1/"+file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found[value] = spec.Names[0].Name
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s has no constant %s...", file, prefix)
	}
	return found
}

func TestEveryAnnotationIsDocumented(t *testing.T) {
	table := sections(page(t, "clientcredential.md"), "### Annotations")
	for annotation := range constants(t, "names.go", "Annotation") {
		if !strings.Contains(table, "`"+annotation+"`") {
			t.Errorf("the table does not have %s", annotation)
		}
	}
}

// TestEveryReasonIsDocumented, as the YAML that somebody will look for, and none that there is not.
func TestEveryReasonIsDocumented(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(- type:.*?)```")
	reasons, shown := constants(t, "conditions.go", "Reason"), map[string]bool{}
	for _, file := range pages {
		for _, block := range blocks.FindAllStringSubmatch(page(t, file), -1) {
			for _, condition := range readConditions(t, file, block[1]) {
				shown[condition.Reason] = true
				if reasons[condition.Reason] == "" || condition.Message == "" || condition.Status != statusOf(condition) {
					t.Errorf("%s shows what there is not: %s is %s, %s: %q", file, condition.Type, condition.Status, condition.Reason, condition.Message)
				}
			}
		}
	}
	for reason, constant := range reasons {
		if !shown[reason] {
			t.Errorf("no page shows a condition with %s", constant)
		}
	}
}

// statusOf gives the status that a condition of that type and reason has.
func statusOf(condition metav1.Condition) metav1.ConditionStatus {
	switch condition.Type {
	case v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
		return metav1.ConditionTrue
	}
	switch condition.Reason {
	case v1alpha1.ReasonAllowed, v1alpha1.ReasonPublished, v1alpha1.ReasonIssued, v1alpha1.ReasonActive, v1alpha1.ReasonRegistered, v1alpha1.ReasonFound, v1alpha1.ReasonValid,
		v1alpha1.ReasonConnected, v1alpha1.ReasonAuthorized, v1alpha1.ReasonRefreshed, v1alpha1.ReasonAvailable:
		return metav1.ConditionTrue
	case v1alpha1.ReasonNotAttempted:
		return metav1.ConditionUnknown
	default:
		return metav1.ConditionFalse
	}
}

func readConditions(t *testing.T, file, text string) []metav1.Condition {
	t.Helper()
	raw, err := yaml.ToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	var conditions []metav1.Condition
	if err := decoder.Decode(&conditions); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	return conditions
}

// TestEveryReasonIsInTroubleshooting, in a row that leads to the page of a kind, and none that there is not.
func TestEveryReasonIsInTroubleshooting(t *testing.T) {
	reasons := constants(t, "conditions.go", "Reason")
	notReasons := []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} // what stands beside Ready
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*)$").FindAllStringSubmatch(sections(page(t, "troubleshooting.md"), "## An object"), -1) {
		if rows[row[1]] = row[2]; reasons[row[1]] == "" && !slices.Contains(notReasons, row[1]) {
			t.Errorf("there is no reason %s", row[1])
		}
	}
	for reason, constant := range reasons {
		if !slices.ContainsFunc(slices.Collect(maps.Values(pages)), func(page string) bool { return strings.Contains(rows[reason], "]("+page+"#") }) {
			t.Errorf("docs/troubleshooting.md has no row for %s that leads to the page of a kind", constant)
		}
	}
}
