// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
)

var _ = It("the API server takes every sample", func(ctx context.Context) {
	for _, read := range []func() ([]*unstructured.Unstructured, error){config.Samples, config.FieldSamples} {
		samples, err := read()
		Expect(err).NotTo(HaveOccurred())
		for _, sample := range samples {
			expectTaken(ctx, "sample", sample)
		}
	}
})

// What somebody copies from a page must not be refused.
var _ = It("the API server takes every manifest of the documentation", func(ctx context.Context) {
	taken := 0
	for _, page := range documentation() {
		text, err := os.ReadFile(page)
		Expect(err).NotTo(HaveOccurred())
		for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			dedented := strings.ReplaceAll("\n"+block[2], "\n"+block[1], "\n")[1:]
			for document := range strings.SplitSeq(dedented, "\n---\n") {
				if manifest := readManifest(page, document); manifest != nil {
					expectTaken(ctx, page, manifest)
					taken++
				}
			}
		}
	}
	Expect(taken).To(BeNumerically(">", 10), "there are manifests in the documentation")
})

// yamlBlock is one of a page, with what it is indented by.
var yamlBlock = regexp.MustCompile("(?sm)^( *)```yaml\n(.*?)^ *```")

func documentation() []string {
	GinkgoHelper()
	pages := []string{"../../README.md"}
	Expect(filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})).To(Succeed())
	return pages
}

// readManifest reads an object of ours. A page may show its spec alone, or a part of that; the rest is then the least that there
// can be. Nil: it is something else.
func readManifest(page, text string) *unstructured.Unstructured {
	GinkgoHelper()
	manifest := &unstructured.Unstructured{}
	switch {
	case strings.Contains("\n"+text, "\napiVersion: "+v1alpha1.GroupVersion.Group+"/"):
		Expect(yaml.Unmarshal([]byte(text), &manifest.Object)).To(Succeed(), "%s:\n%s", page, text)
		return manifest
	case !strings.HasPrefix(text, "spec:"):
		return nil
	}
	Expect(yaml.Unmarshal([]byte(text), &manifest.Object)).To(Succeed(), "%s:\n%s", page, text)
	manifest.SetName("documented")
	manifest.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Account"))
	if filepath.Base(page) != "account.md" {
		manifest.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ClientCredential"))
		manifest.SetNamespace("documented")
		spec := manifest.Object["spec"].(map[string]any)
		spec["accountRef"], spec["scopes"] = map[string]any{"name": "documented"}, []any{"Webhook"}
	}
	return manifest
}

// expectTaken expects that the API server would create an object, and knows every field of it.
func expectTaken(ctx context.Context, where string, object *unstructured.Unstructured) {
	GinkgoHelper()
	if object.GetNamespace() != "" {
		plane.Namespace(ctx, object.GetNamespace(), nil)
	}
	if object.GetKind() == "Namespace" {
		return // it is there for what is in it
	}
	Expect(plane.API.Create(ctx, object.DeepCopy(), client.DryRunAll, client.FieldValidation("Strict"))).
		To(Succeed(), "%s: %s %s: %v", where, object.GetKind(), object.GetName(), object.Object["spec"])
}
