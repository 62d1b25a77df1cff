// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
)

// problems reads every one from the source, so that one without a text cannot be forgotten here, too.
func problems(t *testing.T) []signin.Problem {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../../connector/signin/problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []signin.Problem
	ast.Inspect(file, func(node ast.Node) bool {
		value, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, literal := range value.Values {
			text, err := strconv.Unquote(literal.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, signin.Problem(text))
		}
		return false
	})
	if len(found) < 10 {
		t.Fatalf("found %d problems", len(found))
	}
	return found
}

func TestEveryProblemIsExplained(t *testing.T) {
	const unknown = "The sign-in cannot go on"
	for _, problem := range problems(t) {
		for _, name := range []string{"", "HubSpot"} {
			got := write(http.MethodGet, aFailure(pages.Failure{Problem: problem, Application: name}))
			body := got.Body.String()
			if strings.Contains(body, unknown) || got.Code < 400 || got.Code == http.StatusInternalServerError {
				t.Errorf("%s has no text or no status of its own", problem)
			}
			if strings.Contains(body, "{application}") {
				t.Errorf("%s: the application is not named in\n%s", problem, body)
			}
			if !strings.Contains(body, "<code>"+string(problem)+"</code>") {
				t.Errorf("%s: no code for support in\n%s", problem, body)
			}
		}
	}
	got := write(http.MethodGet, aFailure(pages.Failure{Problem: "news"}))
	if got.Code != http.StatusInternalServerError || !strings.Contains(got.Body.String(), unknown) {
		t.Errorf("a problem that there is not: got %d\n%s", got.Code, got.Body)
	}
}
