// SPDX-License-Identifier: Apache-2.0

package clavigertest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/claviger/claviger/test/clavigertest"
)

const module = "github.com/claviger/claviger"

// TestNothingInternalIsExported: other modules can name every type that they are given.
func TestNothingInternalIsExported(t *testing.T) {
	t.Parallel()
	exported := []reflect.Type{
		reflect.TypeOf(clavigertest.Start), reflect.TypeOf(clavigertest.Run), reflect.TypeFor[clavigertest.TokenError](),
		reflect.TypeOf(clavigertest.WithAssets), reflect.TypeOf(clavigertest.WithConsoleNamespaces),
		reflect.TypeOf(clavigertest.WithLog), reflect.TypeOf(clavigertest.WithTimeout),
	}
	kit := reflect.TypeFor[*clavigertest.Kit]()
	for i := range kit.NumMethod() {
		exported = append(exported, kit.Method(i).Type)
	}
	for _, signature := range exported {
		if signature.Kind() != reflect.Func {
			continue
		}
		for i := range signature.NumIn() {
			expectNameable(t, signature.In(i))
		}
		for i := range signature.NumOut() {
			expectNameable(t, signature.Out(i))
		}
	}
}

func expectNameable(t *testing.T, used reflect.Type) {
	t.Helper()
	for used.Kind() == reflect.Pointer || used.Kind() == reflect.Slice {
		used = used.Elem()
	}
	if strings.HasPrefix(used.PkgPath(), module+"/internal") {
		t.Errorf("%s is internal", used)
	}
}

// TestNoTestFrameworkComesAlong: what users build has neither Ginkgo nor what our own suites are made of.
func TestNoTestFrameworkComesAlong(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	unwanted := regexp.MustCompile(`(?m)^(github\.com/onsi/|github\.com/chromedp/|` + module + `/test/(harness|builder|provider)).*`)
	if found := unwanted.FindAllString(string(out), -1); len(found) > 0 {
		t.Errorf("got %q", found)
	}
}

// TestAnotherModuleCanUseIt: the usage in docs/test-kit.md compiles where it will be written.
func TestAnotherModuleCanUseIt(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	users := strings.Replace(string(mod), "module "+module, "module example.com/user", 1) +
		"\nrequire " + module + " v0.0.0\nreplace " + module + " => " + root + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"go.sum": "go.sum", "test/clavigertest/usage_test.go": "usage_test.go"} {
		content, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	vet := exec.CommandContext(t.Context(), "go", "vet", ".")
	vet.Dir = dir
	// Without cgo, as all that is built without the race detector: Go has compiled it before.
	vet.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestThePageShowsWhatRuns: every block of Go in docs/test-kit.md is in usage_test.go, to the letter.
func TestThePageShowsWhatRuns(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/test-kit.md")
	if err != nil {
		t.Fatal(err)
	}
	usage, err := os.ReadFile("usage_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 4 {
		t.Fatalf("got %d blocks", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(string(usage), block[1]) {
			t.Errorf("usage_test.go has no\n%s", block[1])
		}
	}
}
