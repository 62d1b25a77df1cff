// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// definitions writes the CustomResourceDefinitions as one file, for those who install them apart from the rest.
func (r *release) definitions(_ context.Context, _ string) error {
	files, err := filepath.Glob(filepath.Join(r.root, "config/crd/bases/*.yaml"))
	if err != nil {
		return fmt.Errorf("looking for definitions: %w", err)
	}
	if len(files) == 0 {
		return errors.New("config/crd/bases has no definitions; run make manifests")
	}
	return create(r.file("crds.yaml"), func(out io.Writer) error {
		for _, file := range files {
			content, err := os.ReadFile(file) //nolint:gosec // a file of the repository
			if err != nil {
				return fmt.Errorf("reading a definition: %w", err)
			}
			if !bytes.HasPrefix(content, []byte("---\n")) {
				content = append([]byte("---\n"), content...)
			}
			if _, err := out.Write(content); err != nil {
				return fmt.Errorf("writing a definition: %w", err)
			}
		}
		return nil
	})
}

// chart packs charts/claviger with this version and this image. Helm packs the same files into the same bytes where it is told the time.
func (r *release) chart(ctx context.Context, work string) error {
	stamped := filepath.Join(work, "charts", server)
	if err := os.CopyFS(stamped, os.DirFS(filepath.Join(r.root, "charts", server))); err != nil {
		return fmt.Errorf("copying the chart: %w", err)
	}
	if err := replaceOnce(filepath.Join(stamped, "values.yaml"), "repository: "+defaultImage+"\n", "repository: "+r.image+"\n"); err != nil {
		return err
	}
	return r.command(ctx, []string{"GOFLAGS=", "SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.time.Unix(), 10)},
		"go", "tool", "-modfile=hack/install/go.mod", "helm", "package", stamped,
		"--version", strings.TrimPrefix(r.version, "v"), "--app-version", r.version, "--destination", r.dist)
}

func replaceOnce(path, from, to string) error {
	content, err := os.ReadFile(path) //nolint:gosec // a copy of a file of the repository
	if err != nil {
		return fmt.Errorf("reading what to stamp: %w", err)
	}
	if n := bytes.Count(content, []byte(from)); n != 1 {
		return fmt.Errorf("%s should have %q once and has it %d times; have hack/release look for what it has now", path, from, n)
	}
	content = bytes.Replace(content, []byte(from), []byte(to), 1)
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // everybody may read it
		return fmt.Errorf("stamping: %w", err)
	}
	return nil
}

// installer has make write install.yaml, which needs the kubectl of the control plane.
func (r *release) installer(ctx context.Context, _ string) error {
	return r.command(ctx, nil, "make", "--no-print-directory", "build-installer", "VERSION="+r.version, "IMAGE="+r.image)
}
