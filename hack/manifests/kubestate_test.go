// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// stateMetrics is the configuration of kube-state-metrics, as far as ours uses it. Of what metrics are made there are more ways.
type stateMetrics struct {
	Kind string `json:"kind"`
	Spec struct {
		Resources []stateResource `json:"resources"`
	} `json:"spec"`
}

type stateResource struct {
	GroupVersionKind struct {
		Group   string `json:"group"`
		Version string `json:"version"`
		Kind    string `json:"kind"`
	} `json:"groupVersionKind"`
	MetricNamePrefix string              `json:"metricNamePrefix"`
	ErrorLogV        int                 `json:"errorLogV"`
	LabelsFromPath   map[string][]string `json:"labelsFromPath"`
	Metrics          []stateMetric       `json:"metrics"`
}

type stateMetric struct {
	Name string `json:"name"`
	Help string `json:"help"`
	Each struct {
		Type  string `json:"type"`
		Gauge struct {
			Path           []string            `json:"path"`
			LabelsFromPath map[string][]string `json:"labelsFromPath"`
			ValueFrom      []string            `json:"valueFrom"`
		} `json:"gauge"`
	} `json:"each"`
}

// stateResources reads the configuration, and fails on a field that there is not.
func stateResources(t *testing.T) []stateResource {
	t.Helper()
	var found stateMetrics
	if err := yaml.UnmarshalStrict([]byte(text(t, "config/kube-state-metrics/custom-resource-state.yaml")), &found); err != nil {
		t.Fatal(err)
	}
	if found.Kind != "CustomResourceStateMetrics" || len(found.Spec.Resources) == 0 {
		t.Fatalf("it is a %s of %d resources", found.Kind, len(found.Spec.Resources))
	}
	return found.Spec.Resources
}

// crds gives the CustomResourceDefinitions by kind.
func crds(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config/crd/bases/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v", files, err)
	}
	found := map[string]*unstructured.Unstructured{}
	for _, file := range files {
		crd := objects(t, strings.TrimPrefix(file, root+"/"))[0]
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		found[kind] = crd
	}
	return found
}

// field follows a path through a schema, through lists too, and gives what is there, or nil.
func field(schema map[string]any, path ...string) map[string]any {
	for _, name := range path {
		if items, ok := schema["items"].(map[string]any); ok {
			schema = items
		}
		properties, _ := schema["properties"].(map[string]any)
		next, ok := properties[name].(map[string]any)
		if !ok {
			return nil
		}
		schema = next
	}
	return schema
}

// TestStateMetricsAreOfFieldsThatThereAre, of every kind: conditions and times.
func TestStateMetricsAreOfFieldsThatThereAre(t *testing.T) {
	kinds := crds(t)
	for _, resource := range stateResources(t) {
		kind := resource.GroupVersionKind.Kind
		crd := kinds[kind]
		if crd == nil {
			t.Fatalf("there is no kind %s, or it is there twice", kind)
		}
		delete(kinds, kind)
		group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		version := versions[0].(map[string]any)
		if resource.GroupVersionKind.Group != group || resource.GroupVersionKind.Version != version["name"] {
			t.Errorf("%s is not of %s/%s", kind, resource.GroupVersionKind.Group, resource.GroupVersionKind.Version)
		}
		schema, _, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema")
		checkLabels(t, crd, schema, resource)
		for _, metric := range resource.Metrics {
			checkStateMetric(t, kind, schema, metric)
		}
	}
	for kind := range kinds {
		t.Errorf("there is none of kind %s", kind)
	}
}

// checkLabels: name and, where the kind has one, namespace; others from fields that there are.
func checkLabels(t *testing.T, crd *unstructured.Unstructured, schema map[string]any, resource stateResource) {
	t.Helper()
	scope, _, _ := unstructured.NestedString(crd.Object, "spec", "scope")
	if _, has := resource.LabelsFromPath["namespace"]; has != (scope == "Namespaced") {
		t.Errorf("%s is %s", resource.GroupVersionKind.Kind, scope)
	}
	for label, path := range resource.LabelsFromPath {
		if path[0] == "metadata" {
			if !slices.Equal(path, []string{"metadata", label}) {
				t.Errorf("label %s is %v", label, path)
			}
		} else if found := field(schema, path...); found["type"] != "string" {
			t.Errorf("label %s of %s is %v", label, resource.GroupVersionKind.Kind, path)
		}
	}
}

// checkStateMetric: kube-state-metrics makes numbers of times as RFC 3339 has them, and of the status of a condition.
func checkStateMetric(t *testing.T, kind string, schema map[string]any, metric stateMetric) {
	t.Helper()
	gauge := metric.Each.Gauge
	found := field(schema, gauge.Path...)
	if metric.Each.Type != "Gauge" || metric.Help == "" || found == nil {
		t.Fatalf("%s of %s: a %s of %v, %q", metric.Name, kind, metric.Each.Type, gauge.Path, metric.Help)
	}
	if metric.Name != "condition" {
		if found["format"] != "date-time" || !strings.HasSuffix(metric.Name, "_timestamp_seconds") {
			t.Errorf("%s of %s is not of a time: %v", metric.Name, kind, found["format"])
		}
		return
	}
	for _, path := range slices.Concat([][]string{gauge.ValueFrom}, slices.Collect(maps.Values(gauge.LabelsFromPath))) {
		if field(found, path...) == nil {
			t.Errorf("conditions of %s have no %v", kind, path)
		}
	}
	if !slices.Equal(gauge.ValueFrom, []string{"status"}) {
		t.Errorf("%s of %s is the %v of conditions", metric.Name, kind, gauge.ValueFrom)
	}
}

// TestEveryTimeOfAStatusIsAMetric, but those that say when something was.
func TestEveryTimeOfAStatusIsAMetric(t *testing.T) {
	past := []string{"status.authorizedAt", "status.refreshedAt", "status.notified.at", "status.discovered.at"}
	shown := map[string]bool{}
	for _, resource := range stateResources(t) {
		for _, metric := range resource.Metrics {
			shown[resource.GroupVersionKind.Kind+" "+strings.Join(metric.Each.Gauge.Path, ".")] = true
		}
	}
	for kind, crd := range crds(t) {
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		schema, _, _ := unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema")
		for _, path := range times(field(schema, "status"), "status") {
			if !shown[kind+" "+path] && !slices.Contains(past, path) {
				t.Errorf("%s of %s is no metric", path, kind)
			}
		}
	}
}

// times gives the paths of all times below a schema, those in lists aside.
func times(schema map[string]any, path string) []string {
	if schema["format"] == "date-time" {
		return []string{path}
	}
	var found []string
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		found = append(found, times(property.(map[string]any), path+"."+name)...)
	}
	return found
}

// TestStateMetricsAreDocumented: each with its labels, and none that there is not.
func TestStateMetricsAreDocumented(t *testing.T) {
	rows := documented(t)
	maps.DeleteFunc(rows, func(name string, _ metric) bool { return !strings.HasPrefix(name, "kube_claviger_") })
	for _, resource := range stateResources(t) {
		for _, each := range resource.Metrics {
			name := resource.MetricNamePrefix + "_" + each.Name
			row, found := rows[name]
			if !found {
				t.Errorf("docs/observability.md has no %s", name)
			}
			delete(rows, name)
			labels := slices.Concat(slices.Collect(maps.Keys(resource.LabelsFromPath)), slices.Collect(maps.Keys(each.Each.Gauge.LabelsFromPath)))
			labels = slices.DeleteFunc(labels, func(label string) bool { return label == "namespace" })
			if slices.Sort(labels); !slices.Equal(labels, slices.Sorted(slices.Values(row.labels))) {
				t.Errorf("%s has labels %q, and its row %q", name, labels, row.labels)
			}
		}
	}
	for name := range rows {
		t.Errorf("there is no %s", name)
	}
}

// TestStateMetricsMayBeRead: the role lets kube-state-metrics list and watch every kind.
func TestStateMetricsMayBeRead(t *testing.T) {
	var resources []string
	for _, object := range objects(t, "config/kube-state-metrics/rbac.yaml") {
		rules, _, _ := unstructured.NestedSlice(object.Object, "rules")
		for _, rule := range rules {
			groups, _, _ := unstructured.NestedStringSlice(rule.(map[string]any), "apiGroups")
			verbs, _, _ := unstructured.NestedStringSlice(rule.(map[string]any), "verbs")
			named, _, _ := unstructured.NestedStringSlice(rule.(map[string]any), "resources")
			if !slices.Equal(verbs, []string{"list", "watch"}) {
				t.Errorf("it may %q", verbs)
			}
			for _, resource := range named {
				resources = append(resources, resource+"."+groups[0])
			}
		}
	}
	for _, crd := range crds(t) {
		if !slices.Contains(resources, crd.GetName()) {
			t.Errorf("it may not read %s", crd.GetName())
		}
	}
}
