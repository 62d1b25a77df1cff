// SPDX-License-Identifier: Apache-2.0

package connectapi

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/connector/signin"
	"github.com/claviger/claviger/internal/server/connectapi/pages"
)

// section gives what docs/connect.md says below a heading, to the next one of whatever rank.
func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/connect.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut("\n"+string(page), "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/connect.md has no heading %q", heading)
	}
	text, _, _ := strings.Cut(after, "\n#")
	return text
}

// problems gives every signin.Problem that the code names.
func problems(t *testing.T) []signin.Problem {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../connector/signin/problem.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []signin.Problem
	ast.Inspect(parsed, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, signin.Problem(value))
		return true
	})
	if len(found) < 10 {
		t.Fatalf("found no more than %q", found)
	}
	return found
}

// toHost are the problems that a host is told of, by the table of docs/connect.md.
func toHost(t *testing.T) map[signin.Problem]bool {
	t.Helper()
	found := map[signin.Problem]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(section(t, "### Errors that the host is told"), -1) {
		if row[1] != "error" {
			found[signin.Problem(row[1])] = true
		}
	}
	return found
}

// TestEveryProblemIsDocumented, for the host where it is told, else for the user, with the status of the page.
func TestEveryProblemIsDocumented(t *testing.T) {
	forHost, forUsers := toHost(t), map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (\\d+) \\| `([a-z_]+)` \\|").FindAllStringSubmatch(section(t, "### Error pages"), -1) {
		forUsers[row[2]] = row[1]
	}
	for problem := range descriptions {
		if !forHost[problem] {
			t.Errorf("docs/connect.md does not say when the host is told %s", problem)
		}
	}
	for problem := range forHost {
		if descriptions[problem] == "" {
			t.Errorf("no host is told %s", problem)
		}
	}
	site := pages.New(PathAssets)
	for _, problem := range problems(t) {
		answer := httptest.NewRecorder()
		site.Fail(answer, httptest.NewRequest(http.MethodGet, PathLink, http.NoBody), pages.Failure{Problem: problem})
		status, shown := forUsers[string(problem)]
		switch {
		case !shown && !forHost[problem]:
			t.Errorf("docs/connect.md does not have %s", problem)
		case shown && status != strconv.Itoa(answer.Code):
			t.Errorf("the page of %s has status %d, docs/connect.md says %s", problem, answer.Code, status)
		}
		delete(forUsers, string(problem))
	}
	for problem := range forUsers {
		t.Errorf("there is no problem %s", problem)
	}
}

// TestEveryPathIsDocumented in the table at the top.
func TestEveryPathIsDocumented(t *testing.T) {
	table := section(t, "# The connect role")
	for _, path := range []string{PathLink, PathCallback, PathCompleted, PathAssets, PathSignInToken, PathConnection, PathConfirm} {
		if !strings.Contains(table, strings.ReplaceAll(path, "{account}", "{accountID}")) {
			t.Errorf("the table does not have %s", path)
		}
	}
}

// TestTheStateIsDocumented: every field of the answer, every state, and an example that has no other fields.
func TestTheStateIsDocumented(t *testing.T) {
	text := section(t, "## GET /v1.0/accounts/{accountID}/connectors/{id}")
	names := map[string]bool{}
	for field := range reflect.TypeFor[connectionAnswer]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		names[name] = true
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("nothing says what %s is", name)
		}
	}
	for _, state := range []string{stateConnected, stateSignIn, stateConfirmation, stateReauthorize, stateNoToken} {
		if !strings.Contains(text, "| `"+state+"` |") {
			t.Errorf("nothing says what state %s is", state)
		}
	}
	_, example, _ := strings.Cut(text, "```json\n")
	example, _, _ = strings.Cut(example, "```")
	decoder := json.NewDecoder(strings.NewReader(example))
	decoder.DisallowUnknownFields()
	var shown connectionAnswer
	if err := decoder.Decode(&shown); err != nil || shown.State != stateConnected {
		t.Errorf("the example is %+v, %v", shown, err)
	}
}
