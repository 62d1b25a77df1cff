// SPDX-License-Identifier: Apache-2.0

// Package install holds the manifests to what they promise: by Helm and by Kustomize the same objects, which a real API server takes
// without a complaint, and whose pods are restricted.
package install

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/claviger/claviger/config"
)

// key names an object.
func key(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
}

// helm builds Helm into Go's cache, and gives its path: to have go tool look each time whether it is built takes longer than what it does.
var helm = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-modfile=../../hack/install/go.mod", "-n", "helm").Output()
	if err != nil {
		return "", fmt.Errorf("building helm: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
})

// byHelm gives the objects of the chart with values, as helm's --set has them.
func byHelm(t *testing.T, values ...string) map[string]*unstructured.Unstructured {
	t.Helper()
	objects, err := tryHelm(values...)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func tryHelm(values ...string) (map[string]*unstructured.Unstructured, error) {
	program, err := helm()
	if err != nil {
		return nil, err
	}
	args := []string{"template", "claviger", "charts/claviger", "--namespace", config.Namespace}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	return objectsOf(program, args...)
}

// byKustomize gives the objects of config/default.
func byKustomize(t *testing.T, folder string) map[string]*unstructured.Unstructured {
	t.Helper()
	objects, err := objectsOf(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "kustomize", folder)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// objectsOf runs a command in the project's folder that prints manifests.
func objectsOf(name string, args ...string) (map[string]*unstructured.Unstructured, error) {
	command := exec.Command(name, args...)
	command.Dir = "../.."
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, complaints.String())
	}
	objects := map[string]*unstructured.Unstructured{}
	decoder := yaml.NewYAMLOrJSONDecoder(&out, 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading what %s has printed: %w", name, err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if objects[key(object)] != nil {
			return nil, fmt.Errorf("%s is there twice", key(object))
		}
		objects[key(object)] = object
	}
}

// withoutHelmsOwn takes away what only means something to Helm.
func withoutHelmsOwn(object *unstructured.Unstructured) *unstructured.Unstructured {
	copied := object.DeepCopy()
	annotations := copied.GetAnnotations()
	for name := range annotations {
		if strings.HasPrefix(name, "helm.sh/") {
			delete(annotations, name)
		}
	}
	copied.SetAnnotations(annotations)
	if len(annotations) == 0 {
		copied.SetAnnotations(nil)
	}
	return copied
}
