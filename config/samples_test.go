// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/claviger/claviger/config"
)

// schemas gives a part of the schema of every kind that has it: spec or status.
func schemas(t *testing.T, part string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, crd := range load(t, config.CRDs) {
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		schema, ok, _ := unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", part)
		if ok {
			found[kind] = schema
		}
	}
	return found
}

// fields gives the paths of all fields below a schema that have no fields of their own. What an atomic map has, such as a label
// selector, is Kubernetes' own.
func fields(schema map[string]any, path ...string) []string {
	if items, ok := schema["items"].(map[string]any); ok {
		return fields(items, path...)
	}
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 || schema["x-kubernetes-map-type"] == "atomic" {
		return []string{strings.Join(path, ".")}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		all = append(all, fields(properties[name].(map[string]any), append(slices.Clone(path), name)...)...)
	}
	return all
}

// shows reports whether there is something at a path, in any item of the lists on the way.
func shows(value any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(item any) bool { return shows(item, path) })
	case map[string]any:
		next, there := value[path[0]]
		return there && shows(next, path[1:])
	default:
		return false
	}
}

// TestEveryFieldHasASample: a field that no sample shows is one that nobody finds.
func TestEveryFieldHasASample(t *testing.T) {
	samples := load(t, config.FieldSamples)
	for kind, schema := range schemas(t, "spec") {
		for _, field := range fields(schema) {
			path := append([]string{"spec"}, strings.Split(field, ".")...)
			if !slices.ContainsFunc(samples, func(sample *unstructured.Unstructured) bool {
				return sample.GetKind() == kind && shows(sample.Object, path)
			}) {
				t.Errorf("no sample of %s has spec.%s", kind, field)
			}
		}
	}
}

// TestFieldSamplesComeInOrder: a namespace stands before what is in it.
func TestFieldSamplesComeInOrder(t *testing.T) {
	made := map[string]bool{"": true, config.Namespace: true}
	for _, object := range load(t, config.FieldSamples) {
		if !made[object.GetNamespace()] {
			t.Errorf("%s comes before its namespace", name(object))
		}
		if object.GetKind() == "Namespace" {
			made[object.GetName()] = true
		}
	}
}
