// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// source is where the code and the archives of its releases are.
const source = "https://github.com/claviger/claviger"

// defaultImage is what the chart and config/ name.
const defaultImage = "claviger/claviger"

const (
	server = "claviger"
	plugin = "kubectl-claviger"
)

// allPlatforms are those that archives are made for; images are for those of Linux.
var allPlatforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

// release is one version, built from one commit. Nothing that it writes tells when or where it was written, so that everybody can build
// the same bytes again.
type release struct {
	root, dist     string
	version, image string
	commit         string
	time           time.Time
	platforms      []string
	log            io.Writer
}

// semantic is a version as charts, krew and tags of images all take it: none of them has a place for build metadata.
var semantic = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

func (r *release) validate() error {
	if !semantic.MatchString(r.version) {
		return fmt.Errorf("VERSION=%s is not a semantic version with a v before it, such as v0.1.0 or v0.1.0-rc.1; give another", r.version)
	}
	for _, platform := range r.platforms {
		if strings.Count(platform, "/") != 1 {
			return fmt.Errorf("-platforms: %q is not like linux/amd64", platform)
		}
	}
	return nil
}

// snapshot writes all of a release. SHA256SUMS comes last: where it is there, all is.
func (r *release) snapshot(ctx context.Context) error {
	if r.commit == "" || r.time.Unix() == 0 {
		return fmt.Errorf("-commit and -time are missing: run this by make release-snapshot, in a clone with its history")
	}
	if err := os.RemoveAll(r.dist); err != nil {
		return fmt.Errorf("clearing the last release: %w", err)
	}
	if err := os.MkdirAll(r.dist, 0o755); err != nil { //nolint:gosec // it holds nothing that is secret
		return fmt.Errorf("making a folder for the release: %w", err)
	}
	work, err := os.MkdirTemp("", "claviger-release-")
	if err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	for _, step := range r.steps() {
		began := time.Now() //nolint:forbidigo // for the log alone
		if err := step.do(ctx, work); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		r.logf("%s: %.1f s", step.what, time.Since(began).Seconds())
	}
	r.logf("%s is in %s", r.version, r.dist)
	return nil
}

// step makes a part of a release out of what earlier ones have left in a folder of work, or in dist.
type step struct {
	what string
	do   func(context.Context, string) error
}

func (r *release) steps() []step {
	return []step{
		{"programs", r.compile},
		{"archives", r.archives},
		{"bills of materials", r.materials},
		{"image", r.images},
		{"CustomResourceDefinitions", r.definitions},
		{"chart", r.chart},
		{"manifest for krew", r.krew},
		{installerStep, r.installer},
		{"checksums", r.checksums},
	}
}

// installerStep is the one that needs more than Go: the kubectl of the control plane.
const installerStep = "install.yaml"

func (r *release) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.log, "release: "+format+"\n", args...)
}

// command runs a program at the root of the repository, and tells what it said where it failed.
func (r *release) command(ctx context.Context, env []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // go and make, with what this program has checked
	command.Dir = r.root
	command.Env = append(os.Environ(), env...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// file is the path of a file of this release.
func (r *release) file(name string) string { return filepath.Join(r.dist, name) }

// imageFile is the name of the image's OCI layout, as one tar file.
func (r *release) imageFile() string { return fmt.Sprintf("%s_%s_image.oci.tar", server, r.version) }
