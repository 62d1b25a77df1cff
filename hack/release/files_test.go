// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"k8s.io/apimachinery/pkg/util/version"
	krewindex "sigs.k8s.io/krew/pkg/index"
	"sigs.k8s.io/yaml"
)

// TestAnArchiveHoldsAProgramItsLicenceAndTheReadme, and the programs for this machine tell what they are.
func TestAnArchiveHoldsAProgramItsLicenceAndTheReadme(t *testing.T) {
	r := snapshot(t)
	for _, platform := range r.platforms {
		for _, program := range []string{server, plugin} {
			files := untarredFile(t, r.file(r.archive(program, platform)))
			if names := slices.Sorted(maps.Keys(files)); !slices.Equal(names, []string{"LICENSE", "README.md", program}) {
				t.Errorf("%s for %s: %q", program, platform, names)
			}
			if mode := files[program].header.Mode; mode != 0o755 {
				t.Errorf("%s for %s: mode %o", program, platform, mode)
			}
			if platform == thisPlatform {
				wantTold(t, program, files[program].data)
			}
		}
	}
}

// TestABillOfMaterialsNamesWhatWasLinked: every module that Go noted in the binary, and so each direct one of go.mod that is in it.
func TestABillOfMaterialsNamesWhatWasLinked(t *testing.T) {
	r := snapshot(t)
	direct := directModules(t, r.root)
	for _, platform := range r.platforms {
		for _, program := range []string{server, plugin} {
			info, err := buildinfo.Read(bytes.NewReader(untarredFile(t, r.file(r.archive(program, platform)))[program].data))
			if err != nil {
				t.Fatal(err)
			}
			bom := material(t, r.file(r.material(program, platform)))
			if main := bom.Metadata.Component; main.Version != testVersion || !strings.Contains(main.PackageURL, "github.com/claviger/claviger@"+testVersion) {
				t.Errorf("%s for %s: it is about %+v", program, platform, main)
			}
			named := map[string]string{}
			for _, component := range *bom.Components {
				named[component.Name] = component.Version
			}
			ours := 0
			for _, module := range info.Deps {
				if named[module.Path] != module.Version {
					t.Errorf("%s for %s: %s is %q, linked was %s", program, platform, module.Path, named[module.Path], module.Version)
				}
				if version, ok := direct[module.Path]; ok {
					ours++
					if named[module.Path] != version {
						t.Errorf("%s for %s: %s is %q, in go.mod %s", program, platform, module.Path, named[module.Path], version)
					}
				}
			}
			if ours < 10 {
				t.Errorf("%s for %s: of %d direct modules it names %d", program, platform, len(direct), ours)
			}
			if named["std"] == "" {
				t.Errorf("%s for %s: it does not name Go", program, platform)
			}
		}
	}
}

func material(t *testing.T, path string) *cyclonedx.BOM {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	bom := new(cyclonedx.BOM)
	if err := cyclonedx.NewBOMDecoder(file, cyclonedx.BOMFileFormatJSON).Decode(bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata == nil || bom.Metadata.Component == nil || bom.Components == nil {
		t.Fatalf("%s says nothing", path)
	}
	return bom
}

func directModules(t *testing.T, root string) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", filepath.Join(root, "go.mod")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	direct := map[string]string{}
	for _, module := range file.Require {
		if !module.Indirect {
			direct[module.Path] = module.Version
		}
	}
	return direct
}

// TestTheChartIsStamped with the version, and installs the image of this release.
func TestTheChartIsStamped(t *testing.T) {
	files := untarredFile(t, snapshot(t).file("claviger-9.8.7-rc.1.tgz"))
	var chart struct{ Name, Version, AppVersion string }
	if err := yaml.Unmarshal(files["claviger/Chart.yaml"].data, &chart); err != nil {
		t.Fatal(err)
	}
	if chart.Name != "claviger" || chart.Version != "9.8.7-rc.1" || chart.AppVersion != testVersion {
		t.Errorf("got %+v", chart)
	}
	var values struct {
		Image struct{ Repository, Tag string }
	}
	if err := yaml.Unmarshal(files["claviger/values.yaml"].data, &values); err != nil {
		t.Fatal(err)
	}
	if values.Image.Repository != testImage || values.Image.Tag != "" {
		t.Errorf("got %+v; without a tag it is appVersion's", values)
	}
}

// TestTheDefinitionsAreThoseOfConfig, one document each.
func TestTheDefinitionsAreThoseOfConfig(t *testing.T) {
	r := snapshot(t)
	content, err := os.ReadFile(r.file("crds.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(r.root, "config/crd/bases/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(strings.TrimPrefix(string(content), "---\n"), "\n---\n")
	if len(documents) != len(files) {
		t.Errorf("%d documents of %d files", len(documents), len(files))
	}
	for _, document := range documents {
		var object struct{ Kind string }
		if err := yaml.Unmarshal([]byte(document), &object); err != nil || object.Kind != "CustomResourceDefinition" {
			t.Errorf("%v: %+v", err, object)
		}
	}
}

// TestKrewInstallsThePlugin: the manifest is one by krew's own types and rules, and names the archives by their sums.
func TestKrewInstallsThePlugin(t *testing.T) {
	r := snapshot(t)
	content, err := os.ReadFile(r.file("krew.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest krewindex.Plugin
	if err := yaml.UnmarshalStrict(content, &manifest); err != nil {
		t.Fatal(err)
	}
	spec := manifest.Spec
	if manifest.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || manifest.Kind != "Plugin" || manifest.Name != "claviger" ||
		spec.Version != testVersion || spec.Homepage != source || spec.Description == "" || spec.Caveats == "" ||
		spec.ShortDescription == "" || len(spec.ShortDescription) > 50 || strings.ContainsAny(spec.ShortDescription, "\r\n") {
		t.Errorf("got %+v", manifest)
	}
	if _, err := version.ParseSemantic(spec.Version); err != nil {
		t.Error(err)
	}
	var platforms []string
	for _, one := range spec.Platforms {
		platform := one.Selector.MatchLabels["os"] + "/" + one.Selector.MatchLabels["arch"]
		platforms = append(platforms, platform)
		archive := r.archive(plugin, platform)
		sum, err := sum(r.file(archive))
		if err != nil || one.Sha256 != sum || one.URI != source+"/releases/download/"+testVersion+"/"+archive {
			t.Errorf("%s: %+v, want %s", platform, one, sum)
		}
		files := untarredFile(t, r.file(archive))
		if _, ok := files[one.Bin]; !ok {
			t.Errorf("%s: %s is not in the archive", platform, one.Bin)
		}
		for _, file := range one.Files {
			if _, ok := files[file.From]; !ok || file.To != "." {
				t.Errorf("%s: %+v is not in the archive", platform, file)
			}
		}
	}
	if !slices.Equal(platforms, r.platforms) {
		t.Errorf("platforms %v, want %v", platforms, r.platforms)
	}
}

// TestTheSumsAreThoseOfAllFiles, and of no others.
func TestTheSumsAreThoseOfAllFiles(t *testing.T) {
	r := snapshot(t)
	content, err := os.ReadFile(r.file(sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	listed := []string{sumsFile}
	for line := range strings.Lines(string(content)) {
		want, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		listed = append(listed, name)
		if got, err := sum(r.file(name)); err != nil || got != want {
			t.Errorf("%s: %v, %s, want %s", name, err, got, want)
		}
	}
	entries, err := os.ReadDir(r.dist)
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, entry := range entries {
		there = append(there, entry.Name())
	}
	if slices.Sort(listed); !slices.Equal(listed, there) {
		t.Errorf("listed %q, there %q", listed, there)
	}
}

// TestTheSameCommitGivesTheSameBytes, in another folder, later, in another time zone, with other rights of files.
func TestTheSameCommitGivesTheSameBytes(t *testing.T) {
	first := snapshot(t)
	t.Setenv("TZ", "Pacific/Kiritimati")
	t.Setenv("GOFLAGS", "-buildvcs=false -tags=other")
	second := build(t, copied(t, first.root), t.TempDir(), []string{thisPlatform})

	entries, err := os.ReadDir(second.dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == sumsFile || name == "krew.yaml" || name == second.imageFile() {
			continue // these are about all platforms
		}
		one, err := sum(first.file(name))
		if err != nil {
			t.Fatal(err)
		}
		if other, err := sum(second.file(name)); err != nil || one != other {
			t.Errorf("%s: %v, %s and %s", name, err, one, other)
		}
	}
	if image, ok := images(t, second)[thisPlatform]; ok {
		one, err := images(t, first)[thisPlatform].Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, err := image.Digest(); err != nil || one != other {
			t.Errorf("the image: %v, %s and %s", err, one, other)
		}
	}
}

// TestAZipIsTheSameInEveryTimeZone, as it holds times of a clock on the wall.
func TestAZipIsTheSameInEveryTimeZone(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "program")
	if err := os.WriteFile(path, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	var sums [2]string
	for i, local := range []*time.Location{time.UTC, time.FixedZone("elsewhere", 14*3600)} {
		before := time.Local //nolint:gosmopolitan // what is asked is whether it matters
		time.Local = local   //nolint:gosmopolitan // as above
		err := zipped(filepath.Join(folder, "zip"), []entry{{name: "program.exe", from: path, mode: 0o755}}, changed)
		time.Local = before //nolint:gosmopolitan // as above
		if err != nil {
			t.Fatal(err)
		}
		if sums[i], err = sum(filepath.Join(folder, "zip")); err != nil {
			t.Fatal(err)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("%q", sums)
	}
}

// TestMistakes: what is wrong is said, with what to do, before anything is built.
func TestMistakes(t *testing.T) {
	for _, row := range []struct{ name, args, want string }{
		{"nothing to do", "", "snapshot or push"},
		{"something else", "publish -version v1.0.0", "neither snapshot nor push"},
		{"no version", "snapshot", "such as v0.1.0"},
		{"a version without v", "snapshot -version 1.0.0", "such as v0.1.0"},
		{"a version with build metadata, which no tag of an image may have", "snapshot -version v1.0.0+dirty", "such as v0.1.0"},
		{"a bare commit", "snapshot -version 0123abc", "such as v0.1.0"},
		{"no commit", "snapshot -version v1.0.0", "make release-snapshot"},
		{"a platform without an architecture", "snapshot -version v1.0.0 -platforms linux", "not like linux/amd64"},
		{"nowhere to push to", "push -version v1.0.0", "IMAGE is missing"},
		{"a place with a tag", "push -version v1.0.0 -image registry.example.test/claviger:v1", "without a tag"},
		{"a version that is not built", "push -version v0.0.0-not-built -image registry.example.test/claviger", "make release-snapshot VERSION=v0.0.0-not-built"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := run(t.Context(), strings.Fields(row.args)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}
