// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
)

// materials writes the bill of materials of each program for each platform: the modules, by version and hash, that Go's linker noted in
// the very binary. The one of the server for Linux is that of the image too, in which nothing else is but authorities.
//
// A serial number or the time would make every build another one.
func (r *release) materials(ctx context.Context, work string) error {
	for _, platform := range r.platforms {
		for _, program := range []string{server, plugin} {
			if err := r.command(ctx, []string{"GOFLAGS="}, "go", "tool", "-modfile=hack/release/go.mod", "cyclonedx-gomod", "bin",
				"-json", "-std", "-noserial", "-notimestamp", "-version", r.version, "-output", r.file(r.material(program, platform)),
				binary(work, platform, program)); err != nil {
				return errors.Join(err, errors.New("where a module could not be fetched, try again: what has been fetched is kept"))
			}
		}
	}
	return nil
}

// material is the name of the bill of materials of a program for a platform.
func (r *release) material(program, platform string) string {
	return r.base(program, platform) + ".cdx.json"
}
