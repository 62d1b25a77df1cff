// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/sandbox"
)

// fieldOwner names the kit as the owner of what it applies.
const fieldOwner = client.FieldOwner("clavigertest")

// Apply applies the manifests in files, and in folders those whose names end in .yaml, .yml or .json, as kubectl apply --server-side
// does: kustomizations are passed over. Namespaces and CRDs come first, whatever the order. It gives the objects, in the order of
// the manifests.
func (k *Kit) Apply(t testing.TB, paths ...string) []client.Object {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, file := range paths {
		absolute, err := filepath.Abs(file)
		if err != nil {
			t.Fatalf("finding manifests: %v", err)
		}
		// A file system knows no way up, so it is that of the folder above.
		found, err := readManifests(os.DirFS(filepath.Dir(absolute)), filepath.Base(absolute))
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, found...)
	}
	return k.mustApply(t, objects)
}

// ApplyFS is Apply for a file system, such as an embed.FS. Without paths it applies what is at its root.
func (k *Kit) ApplyFS(t testing.TB, files fs.FS, paths ...string) []client.Object {
	t.Helper()
	objects, err := k.ApplyContext(k.life, files, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// ApplyYAML applies manifests that stand in the test: one object, or several with lines of --- between them.
func (k *Kit) ApplyYAML(t testing.TB, manifests string) []client.Object {
	t.Helper()
	objects, err := decode(strings.NewReader(manifests))
	if err != nil {
		t.Fatalf("reading manifests: %v", err)
	}
	return k.mustApply(t, objects)
}

// ApplyContext is ApplyFS without a test.
func (k *Kit) ApplyContext(ctx context.Context, files fs.FS, paths ...string) ([]client.Object, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var objects []*unstructured.Unstructured
	for _, file := range paths {
		found, err := readManifests(files, file)
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return k.apply(ctx, objects)
}

func (k *Kit) mustApply(t testing.TB, objects []*unstructured.Unstructured) []client.Object {
	t.Helper()
	applied, err := k.apply(k.life, objects)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

func (k *Kit) apply(ctx context.Context, objects []*unstructured.Unstructured) ([]client.Object, error) {
	ctx, cancel := k.bound(ctx)
	defer cancel()
	if err := sandbox.Apply(ctx, k.api, fieldOwner, objects); err != nil {
		return nil, err
	}
	applied := make([]client.Object, len(objects))
	for i, object := range objects {
		applied[i] = object
	}
	return applied, nil
}

// readManifests reads a file, or the files of a folder in the order of their names.
func readManifests(files fs.FS, name string) ([]*unstructured.Unstructured, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, fmt.Errorf("finding manifests: %w", err)
	}
	names := []string{name}
	if info.IsDir() {
		entries, err := fs.ReadDir(files, name)
		if err != nil {
			return nil, fmt.Errorf("finding manifests: %w", err)
		}
		names = nil
		for _, entry := range entries {
			if !entry.IsDir() && isManifest(entry.Name()) {
				names = append(names, path.Join(name, entry.Name()))
			}
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("finding manifests: there are none in folder %s", name)
		}
	}
	var objects []*unstructured.Unstructured
	for _, name := range names {
		found, err := readManifest(files, name)
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

func isManifest(name string) bool {
	extension := path.Ext(name)
	return slices.Contains([]string{".yaml", ".yml", ".json"}, extension) && strings.TrimSuffix(name, extension) != "kustomization"
}

func readManifest(files fs.FS, name string) ([]*unstructured.Unstructured, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening manifests: %w", err)
	}
	defer file.Close()
	objects, err := decode(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return objects, nil
}

// decode reads manifests, and takes lists apart.
func decode(manifests io.Reader) ([]*unstructured.Unstructured, error) {
	read, err := config.Decode(manifests)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, object := range read {
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		if err := object.EachListItem(func(item runtime.Object) error {
			objects = append(objects, item.(*unstructured.Unstructured))
			return nil
		}); err != nil {
			return nil, fmt.Errorf("reading a list: %w", err)
		}
	}
	return objects, nil
}
