// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"path/filepath"
	"strings"
)

// compile builds both programs for each platform, into a folder of work for each.
//
// What could differ between two builds of one commit is left out: paths, debug information, and what Go would note of the
// work tree, whose place the stamp takes.
func (r *release) compile(ctx context.Context, work string) error {
	const stamp = "github.com/claviger/claviger/internal/version"
	flags := "-s -w -X " + stamp + ".version=" + r.version + " -X " + stamp + ".commit=" + r.commit
	for _, platform := range r.platforms {
		system, architecture, _ := strings.Cut(platform, "/")
		// GOAMD64 and GOARM64 by their defaults: a newer level would not start on the oldest nodes.
		env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + architecture, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT="}
		if err := r.command(ctx, env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags,
			"-o", filepath.Join(work, platform)+"/", "./cmd/"+server, "./cmd/"+plugin); err != nil {
			return err
		}
		r.logf("built for %s", platform)
	}
	return nil
}

// binary is where compile has put a program.
func binary(work, platform, program string) string {
	return filepath.Join(work, platform, executable(platform, program))
}

// executable is what a program's file is called on a platform.
func executable(platform, program string) string {
	if strings.HasPrefix(platform, "windows/") {
		return program + ".exe"
	}
	return program
}
