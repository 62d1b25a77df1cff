// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEveryFileIsYAML reads those that no program here can: every document, and no key twice.
func TestEveryFileIsYAML(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "gateways", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder, documents := yaml.NewDecoder(bytes.NewReader(text)), 0
		for {
			var document map[string]any
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || len(document) == 0 {
				t.Fatalf("%s, document %d: %v", file, documents+1, err)
			}
			documents++
		}
		if documents == 0 {
			t.Errorf("%s is empty", file)
		}
	}
}
