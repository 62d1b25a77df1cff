// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/test/builder"
)

// TestEveryReasonHasAdvice reads the reasons from the API's own source, so that a new one cannot be forgotten.
func TestEveryReasonHasAdvice(t *testing.T) {
	reasons := declaredReasons(t)
	if len(reasons) < 20 {
		t.Fatalf("only %d reasons are found: %v", len(reasons), reasons)
	}
	for _, reason := range reasons {
		text, known := advice[reason]
		if !known {
			t.Errorf("reason %s has no advice", reason)
			continue
		}
		if !strings.HasSuffix(text, ".") || strings.Contains(text, ". ") || strings.ToUpper(text[:1]) != text[:1] {
			t.Errorf("the advice for %s is not one sentence: %s", reason, text)
		}
	}
	if len(advice) != len(reasons) {
		t.Errorf("there is advice for %d reasons, and there are %d", len(advice), len(reasons))
	}
}

func declaredReasons(t *testing.T) []string {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(source, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, value)
		return true
	})
	return reasons
}

func TestAdviceFor(t *testing.T) {
	ready := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{conditionOf("Ready", status, reason, "")}
	}
	for _, row := range []struct {
		name       string
		generation int64
		conditions []metav1.Condition
		want       string
	}{
		{"what is Ready needs nothing", 1, ready(metav1.ConditionTrue, "Issued"), ""},
		{"what is not has advice for its reason", 1, ready(metav1.ConditionFalse, "AccountNotFound"), advice["AccountNotFound"]},
		{"what nobody has looked at", 1, nil, adviceUnseen},
		{"what was Ready before it changed", 2, ready(metav1.ConditionTrue, "Issued"), adviceBehind},
		{"a reason of a later version", 1, ready(metav1.ConditionFalse, "MoonPhase"), adviceOther},
	} {
		t.Run(row.name, func(t *testing.T) {
			object := builder.ClientCredential("acme", "orders", builder.Generation(row.generation))
			if got := adviceFor(object, row.conditions); got != row.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
