// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// definition is what a CustomResourceDefinition says of one version of its kind.
type definition struct {
	rules      validation.SchemaValidator
	structural *structuralschema.Structural
}

// module gives the folder of a module that go.mod names.
func module(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}

// definitions reads CustomResourceDefinitions.
func definitions(t *testing.T, patterns ...string) map[schema.GroupVersionKind]*definition {
	t.Helper()
	found := map[schema.GroupVersionKind]*definition{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			read(t, file, found)
		}
	}
	return found
}

func read(t *testing.T, file string, into map[schema.GroupVersionKind]*definition) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		resource := &apiextensionsv1.CustomResourceDefinition{}
		err := decoder.Decode(resource)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if resource.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, version := range resource.Spec.Versions {
			kind := schema.GroupVersionKind{Group: resource.Spec.Group, Version: version.Name, Kind: resource.Spec.Names.Kind}
			into[kind] = compile(t, kind, version.Schema.OpenAPIV3Schema)
		}
	}
}

func compile(t *testing.T, kind schema.GroupVersionKind, written *apiextensionsv1.JSONSchemaProps) *definition {
	t.Helper()
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(written, internal, nil); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	structural, err := structuralschema.NewStructural(internal)
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	rules, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return &definition{rules, structural}
}

// check does what an API server does with an object that is applied with --validate=strict.
func (d *definition) check(t *testing.T, object *unstructured.Unstructured) {
	t.Helper()
	name := object.GetKind() + " " + object.GetName()
	if d == nil {
		t.Errorf("%s: there is no such kind", name)
		return
	}
	object = object.DeepCopy()
	for _, unknown := range pruning.PruneWithOptions(object.Object, d.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		t.Errorf("%s: there is no field %s", name, unknown)
	}
	defaulting.Default(object.Object, d.structural)
	for _, err := range validation.ValidateCustomResource(nil, object.Object, d.rules) {
		t.Errorf("%s: %v", name, err)
	}
	if rules := cel.NewValidator(d.structural, true, celconfig.PerCallLimit); rules != nil {
		errs, _ := rules.Validate(t.Context(), nil, d.structural, object.Object, nil, celconfig.RuntimeCELCostBudget)
		for _, err := range errs {
			t.Errorf("%s: %v", name, err)
		}
	}
}
