// SPDX-License-Identifier: Apache-2.0

// Package config embeds the manifests that Claviger installs, so that programs and tests can install them too.
package config

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

//go:embed crd/bases/*.yaml rbac/*.yaml samples/*.yaml samples/fields/*.yaml samples/connection/*.yaml
var files embed.FS

const samples = "samples/*.yaml"

// Namespace is the operator's namespace in the embedded manifests.
const Namespace = "claviger-system"

// ConnectionsNamespace is the namespace of the records of connections in the embedded manifests.
const ConnectionsNamespace = "claviger-connections"

// CRDs gives the CustomResourceDefinitions of every kind.
func CRDs() ([]*unstructured.Unstructured, error) { return read("crd/bases/*.yaml") }

// RBAC gives the ServiceAccounts, roles and bindings of every role, for Namespace.
func RBAC() ([]*unstructured.Unstructured, error) { return read("rbac/*.yaml") }

// Samples gives an Account with a ClientCredential for its webhooks, in a namespace of its own, in an order in which
// they can be created.
func Samples() ([]*unstructured.Unstructured, error) { return read(samples) }

// FieldSamples gives objects that show every field of every kind, in an order in which they can be created.
func FieldSamples() ([]*unstructured.Unstructured, error) { return read("samples/fields/*.yaml") }

func read(pattern string) ([]*unstructured.Unstructured, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", pattern, err)
	}
	var objects []*unstructured.Unstructured
	for _, name := range names {
		if path.Base(name) == "kustomization.yaml" {
			continue
		}
		file, err := files.Open(name)
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", name, err)
		}
		found, err := Decode(file)
		_ = file.Close() // an embedded file
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// Decode reads manifests: objects in YAML, with lines of --- between them, or in JSON.
func Decode(manifests io.Reader) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(manifests, 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, fmt.Errorf("decoding: %w", err)
		case len(object.Object) > 0:
			objects = append(objects, object)
		}
	}
}

// SampleFiles gives the samples as they are written, with their comments.
func SampleFiles() (string, error) { return written(samples) }

// ConnectionSample gives the sample of a connection as it is written. It is for a sandbox, and names where that has its application.
func ConnectionSample() (string, error) { return written("samples/connection/*.yaml") }

func written(pattern string) (string, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return "", fmt.Errorf("listing %s: %w", pattern, err)
	}
	contents := make([]string, len(names))
	for i, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", name, err)
		}
		contents[i] = string(content)
	}
	return strings.Join(contents, "---\n"), nil
}
