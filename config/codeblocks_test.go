// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/claviger/claviger/api/v1alpha1"
)

// TestCodeBlocksAreWhatTheySay: somebody will paste each of them.
func TestCodeBlocksAreWhatTheySay(t *testing.T) {
	check := map[string]func(string) error{
		"yaml": manifests(t).check, "json": checkJSON, "sh": checkShell, "bash": checkShell, "go": checkGo,
		"": nil, "text": nil, "console": nil, "diff": nil, "dockerfile": nil, "html": nil, "http": nil, "js": nil, "mermaid": nil,
		"nginx": nil, "promql": nil, "python": nil, "toml": nil, "ts": nil,
	}
	seen := map[string]int{}
	for _, page := range documents(t) {
		for _, block := range page.blocks() {
			right, known := check[block.language]
			if !known {
				t.Errorf("%s: no test knows what %s is", block, block.language)
			}
			if right == nil {
				continue
			}
			seen[block.language]++
			if err := right(block.code); err != nil {
				t.Errorf("%s: %v", block, err)
			}
		}
	}
	for _, language := range []string{"yaml", "json", "sh"} {
		if seen[language] < 5 {
			t.Errorf("there are %d blocks of %s", seen[language], language)
		}
	}
}

// manifestReader reads objects as strictly as an API server that is asked to.
type manifestReader struct{ decoder runtime.Decoder }

func manifests(t *testing.T) manifestReader {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgo.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	return manifestReader{serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()}
}

// check wants YAML with each key once. Objects of our kinds and of Kubernetes' own have no field that their type does not have. Whether
// an API server takes ours, and those of which a page shows the spec alone, is for test/integration.
func (m manifestReader) check(text string) error {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var found any
		if err := yaml.UnmarshalStrict(document, &found); err != nil {
			return err
		}
		object, ok := found.(map[string]any)
		if !ok || object["apiVersion"] == nil || object["kind"] == nil {
			continue
		}
		if _, _, err := m.decoder.Decode(document, nil, nil); err != nil && !runtime.IsNotRegisteredError(err) {
			return err
		}
	}
}

// checkJSON wants one value or several.
func checkJSON(text string) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		var value any
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// checkShell has bash read it without running it.
func checkShell(text string) error {
	bash := exec.Command("bash", "-n")
	bash.Stdin = strings.NewReader(text)
	if said, err := bash.CombinedOutput(); err != nil {
		return errors.New(string(said))
	}
	return nil
}

// checkGo wants a file, or what can stand in one or in a function.
func checkGo(text string) error {
	var first error
	for _, file := range []string{text, "package p\n" + text, "package p\n" + text + "\n}", "package p\nfunc _() {\n" + text + "\n}"} {
		_, err := parser.ParseFile(token.NewFileSet(), "", file, parser.SkipObjectResolution)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}
