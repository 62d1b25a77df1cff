// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	testVersion = "v9.8.7-rc.1"
	testCommit  = "0123456789abcdef0123456789abcdef01234567"
	testImage   = "registry.example.test/team/claviger"
)

// thisPlatform is what this machine can run.
const thisPlatform = runtime.GOOS + "/" + runtime.GOARCH

// testPlatforms are those of the image, and this one: each costs its linking.
func testPlatforms() []string {
	platforms := []string{"linux/amd64", "linux/arm64"}
	if !slices.Contains(platforms, thisPlatform) {
		platforms = append(platforms, thisPlatform)
	}
	return platforms
}

var (
	buildOnce sync.Once
	built     *release
	scratch   string
)

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "claviger-release-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// snapshot gives a release of what is in the work tree, which all tests read and none changes.
func snapshot(t *testing.T) *release {
	t.Helper()
	buildOnce.Do(func() {
		root, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		r := build(t, root, filepath.Join(scratch, "first"), testPlatforms())
		built = r
	})
	if built == nil {
		t.Fatal("there is no release to look at: see the first failure")
	}
	return built
}

// build runs all steps but install.yaml, which needs a control plane and has tests of its own in test/install.
func build(t *testing.T, root, folder string, platforms []string) *release {
	t.Helper()
	r := newRelease(t, folder)
	r.root, r.platforms = root, platforms
	if err := r.validate(); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(folder, "work")
	for _, step := range r.steps() {
		if step.what == installerStep {
			continue
		}
		began := time.Now()
		if err := step.do(t.Context(), work); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		t.Logf("%s: %.1f s", step.what, time.Since(began).Seconds())
	}
	return r
}

// newRelease gives one that writes below a folder.
func newRelease(t *testing.T, folder string) *release {
	t.Helper()
	for _, made := range []string{"dist", "work"} {
		if err := os.MkdirAll(filepath.Join(folder, made), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &release{
		dist: filepath.Join(folder, "dist"), version: testVersion, commit: testCommit, image: testImage,
		time: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), platforms: testPlatforms(), log: t.Output(),
	}
}

// indexOf reads the layout of a release back, and gives the one index in it and the annotations by which the layout names it.
func indexOf(t *testing.T, r *release) (v1.ImageIndex, map[string]string) {
	t.Helper()
	path, err := unpack(r.file(r.imageFile()), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	outer, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("the layout should hold one index: %v, %+v", err, manifest)
	}
	inner, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return inner, manifest.Manifests[0].Annotations
}

// packed is a file of an archive.
type packed struct {
	header *tar.Header
	data   []byte
}

func untarred(t *testing.T, from io.Reader) map[string]packed {
	t.Helper()
	files := map[string]packed{}
	in := tar.NewReader(from)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[header.Name]; twice {
			t.Errorf("%s is there twice", header.Name)
		}
		files[header.Name] = packed{header, data}
	}
}

func untarredFile(t *testing.T, path string) map[string]packed {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	in, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return untarred(t, in)
}

// executableOf writes a program out of an archive where it can be run.
func executableOf(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.exe")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// copied copies the repository's files, as git lists them and as they are in the work tree, to another place.
func copied(t *testing.T, root string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("not a clone: %v", err)
	}
	to := filepath.Join(t.TempDir(), "elsewhere")
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if strings.HasPrefix(name, "test/") || strings.HasPrefix(name, "docs/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not yet from git's index
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
