// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Keys of the OCI image specification, as annotations and as labels.
const (
	annotationRef      = "org.opencontainers.image.ref.name"
	annotationRevision = "org.opencontainers.image.revision"
	annotationVersion  = "org.opencontainers.image.version"
)

// images writes the image of all roles for each platform of Linux, as one index in an OCI layout that is one tar file: registries,
// containerd, podman and Docker all take it, and it can be attached to a release.
func (r *release) images(_ context.Context, work string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range r.platforms {
		system, architecture, _ := strings.Cut(platform, "/")
		if system != "linux" {
			continue
		}
		image, err := r.imageFor(work, platform)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: system, Architecture: architecture}},
		})
	}
	annotated, ok := mutate.Annotations(index, r.labels()).(v1.ImageIndex)
	if !ok {
		return fmt.Errorf("an annotated index is no index any more")
	}

	path, err := layout.Write(filepath.Join(work, "layout"), empty.Index)
	if err != nil {
		return fmt.Errorf("beginning a layout: %w", err)
	}
	if err := path.AppendIndex(annotated, layout.WithAnnotations(map[string]string{annotationRef: r.version})); err != nil {
		return fmt.Errorf("writing the layout: %w", err)
	}
	entries, err := filesOf(string(path))
	if err != nil {
		return err
	}
	return create(r.file(r.imageFile()), func(file io.Writer) error { return tarred(file, entries, r.time) })
}

// labels say what the image is, in its configuration, its manifests and its index: tools look at any of them.
func (r *release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         server,
		"org.opencontainers.image.description":   "OAuth 2.0 machine credentials on Kubernetes",
		annotationVersion:                        r.version,
		annotationRevision:                       r.commit,
		"org.opencontainers.image.created":       r.time.Format(time.RFC3339),
		"org.opencontainers.image.source":        source,
		"org.opencontainers.image.url":           source,
		"org.opencontainers.image.documentation": source + "/tree/main/docs",
		"org.opencontainers.image.licenses":      "Apache-2.0",
	}
}

// imageFor builds what the Dockerfile builds: the static binary and the authorities, on nothing. The authorities are a layer of their
// own, which does not change with every version.
func (r *release) imageFor(work, platform string) (v1.Image, error) {
	authorities, err := roots()
	if err != nil {
		return nil, err
	}
	layers := []struct {
		by      string
		entries []entry
	}{
		{"authorities of Mozilla", []entry{
			{name: "etc/", mode: 0o755},
			{name: "etc/ssl/", mode: 0o755},
			{name: "etc/ssl/certs/", mode: 0o755},
			{name: rootsPath, data: authorities, mode: 0o644},
		}},
		{"go build ./cmd/" + server, []entry{{name: server, from: binary(work, platform, server), mode: 0o755}}},
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, part := range layers {
		layer, err := layerOf(part.entries)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer: layer, History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: part.by},
		})
		if err != nil {
			return nil, fmt.Errorf("adding a layer: %w", err)
		}
	}
	return r.configure(image, platform)
}

func (r *release) configure(image v1.Image, platform string) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of an image: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, _ = strings.Cut(platform, "/")
	config.Created = v1.Time{Time: r.time}
	config.Config = v1.Config{User: "65532:65532", Entrypoint: []string{"/" + server}, WorkingDir: "/", Labels: r.labels()}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, fmt.Errorf("writing the configuration of an image: %w", err)
	}
	annotated, ok := mutate.Annotations(image, r.labels()).(v1.Image)
	if !ok {
		return nil, fmt.Errorf("an annotated image is no image any more")
	}
	return annotated, nil
}

func layerOf(entries []entry) (v1.Layer, error) {
	var content bytes.Buffer
	// The same layer in every release as long as its files are the same.
	if err := tarred(&content, entries, time.Unix(0, 0)); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("making a layer: %w", err)
	}
	return layer, nil
}

// filesOf lists what is below a folder, in the order of names.
func filesOf(folder string) ([]entry, error) {
	var entries []entry
	err := filepath.WalkDir(folder, func(path string, file fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return fmt.Errorf("naming a file of the layout: %w", err)
		}
		name = filepath.ToSlash(name)
		if file.IsDir() {
			entries = append(entries, entry{name: name + "/", mode: 0o755})
		} else {
			entries = append(entries, entry{name: name, from: path, mode: 0o644})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the layout: %w", err)
	}
	return entries, nil
}

// unpack writes the files of a layout into a folder, which has none yet.
func unpack(path, folder string) (layout.Path, error) {
	file, err := os.Open(path) //nolint:gosec // a file that this program wrote
	if err != nil {
		return "", fmt.Errorf("opening the image: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := untar(file, folder); err != nil {
		return "", fmt.Errorf("unpacking %s: %w", path, err)
	}
	return layout.FromPath(folder) //nolint:wrapcheck // it says what is missing
}
