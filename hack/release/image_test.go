// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/x509"
	"debug/elf"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestTheImageIsOneIndexOfBothPlatforms, in a layout that passes for one, and says what it is wherever tools look.
func TestTheImageIsOneIndexOfBothPlatforms(t *testing.T) {
	r := snapshot(t)
	index, annotations := indexOf(t, r)
	if err := validate.Index(index); err != nil {
		t.Errorf("the library finds it wrong: %v", err)
	}
	if annotations[annotationRef] != testVersion {
		t.Errorf("the layout names it %v", annotations)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != types.OCIImageIndex {
		t.Errorf("media type %s", manifest.MediaType)
	}
	wantSaid(t, "index", manifest.Annotations)
	var platforms []string
	for _, image := range manifest.Manifests {
		platforms = append(platforms, image.Platform.String())
		if image.MediaType != types.OCIManifestSchema1 {
			t.Errorf("%s: media type %s", image.Platform, image.MediaType)
		}
	}
	if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("platforms %v", platforms)
	}
}

func wantSaid(t *testing.T, where string, said map[string]string) {
	t.Helper()
	for key, want := range map[string]string{
		"title": "claviger", "version": testVersion, "revision": testCommit, "created": "2026-02-03T04:05:06Z",
		"source": source, "licenses": "Apache-2.0",
	} {
		if got := said["org.opencontainers.image."+key]; got != want {
			t.Errorf("%s: %s is %q, want %q", where, key, got, want)
		}
	}
}

// images gives the image of each platform.
func images(t *testing.T, r *release) map[string]v1.Image {
	t.Helper()
	index, _ := indexOf(t, r)
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]v1.Image{}
	for _, one := range manifest.Manifests {
		if images[one.Platform.String()], err = index.Image(one.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return images
}

// TestAnImageRunsClavigerAsNobody: its configuration is that of the Dockerfile.
func TestAnImageRunsClavigerAsNobody(t *testing.T) {
	for platform, image := range images(t, snapshot(t)) {
		manifest, err := image.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		wantSaid(t, platform+" manifest", manifest.Annotations)
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		wantSaid(t, platform+" configuration", config.Config.Labels)
		if config.OS+"/"+config.Architecture != platform || config.Config.User != "65532:65532" ||
			!slices.Equal(config.Config.Entrypoint, []string{"/claviger"}) || len(config.Config.Cmd) > 0 ||
			config.Created.Format(time.RFC3339) != "2026-02-03T04:05:06Z" {
			t.Errorf("%s: %+v", platform, config)
		}
	}
}

// TestAnImageHoldsABinaryAndAuthoritiesAndNothingElse: no shell, no library, nothing that anybody but root may change.
func TestAnImageHoldsABinaryAndAuthoritiesAndNothingElse(t *testing.T) {
	for platform, image := range images(t, snapshot(t)) {
		files := contents(t, image)
		names := slices.Sorted(maps.Keys(files))
		if want := []string{"claviger", "etc/", "etc/ssl/", "etc/ssl/certs/", rootsPath}; !slices.Equal(names, want) {
			t.Errorf("%s: it holds %q, want %q", platform, names, want)
		}
		for name, file := range files {
			if file.header.Uid != 0 || file.header.Gid != 0 || file.header.Mode&0o022 != 0 || file.header.Mode&0o444 != 0o444 {
				t.Errorf("%s: %s is of %d:%d, mode %o", platform, name, file.header.Uid, file.header.Gid, file.header.Mode)
			}
		}
		if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(files[rootsPath].data) ||
			bytes.Count(files[rootsPath].data, []byte("BEGIN CERTIFICATE")) < 100 {
			t.Errorf("%s: the authorities cannot be read, or are few", platform)
		}
		wantStatic(t, platform, files["claviger"].data)
	}
}

// contents lists the files of all layers, each of which may stand in one of them only.
func contents(t *testing.T, image v1.Image) map[string]packed {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]packed{}
	for _, layer := range layers {
		in, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for name, file := range untarred(t, in) {
			if _, twice := files[name]; twice {
				t.Errorf("%s is in two layers", name)
			}
			files[name] = file
		}
		_ = in.Close()
	}
	return files
}

// wantStatic fails where a binary is for another architecture, or needs a loader or a library.
func wantStatic(t *testing.T, platform string, data []byte) {
	t.Helper()
	binary, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", platform, err)
	}
	if want := map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}[platform]; binary.Machine != want {
		t.Errorf("%s: the binary is for %s", platform, binary.Machine)
	}
	for _, part := range binary.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("%s: the binary is not static: %s", platform, part.Type)
		}
	}
}

func wantTold(t *testing.T, program string, data []byte) {
	t.Helper()
	path := executableOf(t, data)
	for _, arg := range []string{"--version", "version"} {
		out, err := exec.CommandContext(t.Context(), path, arg).CombinedOutput()
		if want := program + " " + testVersion + ", commit " + testCommit + ", go"; err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s %s: %v, %q, want %q", program, arg, err, out, want)
		}
	}
}
