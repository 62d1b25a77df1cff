// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// registryFor gives the name of an image at a registry that lets nobody in but one user.
func registryFor(t *testing.T, user, password string) string {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/team/claviger"
}

// small gives a release whose programs are a few bytes, for what is pushed does not matter.
func small(t *testing.T, image, program string) *release {
	t.Helper()
	folder := t.TempDir()
	r := newRelease(t, folder)
	r.image, r.platforms = image, []string{"linux/amd64", "linux/arm64"}
	work := filepath.Join(folder, "work")
	for _, platform := range r.platforms {
		path := binary(work, platform, server)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.images(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWhatIsPushedIsWhatWasBuilt: the registry has the very index, and pushing again changes nothing.
func TestWhatIsPushedIsWhatWasBuilt(t *testing.T) {
	t.Setenv("REGISTRY_USERNAME", "jane")
	t.Setenv("REGISTRY_PASSWORD", "a password")
	r := small(t, registryFor(t, "jane", "a password"), "program")
	for range 2 {
		if err := r.push(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tag, err := name.NewTag(r.image + ":" + testVersion)
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Index(tag, remote.WithAuthFromKeychain(keychain()))
	if err != nil {
		t.Fatal(err)
	}
	index, _ := indexOf(t, r)
	want, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := there.Digest(); err != nil || got != want {
		t.Errorf("%v, %s, want %s", err, got, want)
	}
	manifest, err := there.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatalf("%v, %+v", err, manifest)
	}

	other := small(t, r.image, "another program")
	if err := other.push(t.Context()); err == nil || !strings.Contains(err.Error(), "a version never changes") {
		t.Errorf("the version was pushed anew: %v", err)
	}
}

// TestAVersionIsNotPushedWhereNobodyKnowsWhetherItIsThere: it could be another one's.
func TestAVersionIsNotPushedWhereNobodyKnowsWhetherItIsThere(t *testing.T) {
	handler, written := registry.New(registry.Logger(log.New(io.Discard, "", 0))), false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		written = written || r.Method == http.MethodPut
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	err := small(t, strings.TrimPrefix(server.URL, "http://")+"/team/claviger", "program").push(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nobody knows whether") || written {
		t.Errorf("got %v, written %v", err, written)
	}
}

// TestWithoutCredentialsThePushSaysWhereTheyComeFrom, and does not tell those that it has.
func TestWithoutCredentialsThePushSaysWhereTheyComeFrom(t *testing.T) {
	t.Setenv("REGISTRY_USERNAME", "jane")
	t.Setenv("REGISTRY_PASSWORD", "another password")
	err := small(t, registryFor(t, "jane", "a password"), "program").push(t.Context())
	if err == nil || !strings.Contains(err.Error(), "REGISTRY_USERNAME") || strings.Contains(err.Error(), "another password") {
		t.Errorf("got %v", err)
	}
}

// TestWhatWasBuiltFromAChangedTreeIsNotPushed: nobody could build it again.
func TestWhatWasBuiltFromAChangedTreeIsNotPushed(t *testing.T) {
	r := small(t, "registry.example.test/claviger", "program")
	r.commit += "-dirty"
	work := filepath.Join(filepath.Dir(r.dist), "work")
	if err := os.RemoveAll(filepath.Join(work, "layout")); err != nil {
		t.Fatal(err)
	}
	if err := r.images(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	if err := r.push(t.Context()); err == nil || !strings.Contains(err.Error(), "changed tree") {
		t.Errorf("got %v", err)
	}
}
