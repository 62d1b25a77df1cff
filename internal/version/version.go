// SPDX-License-Identifier: Apache-2.0

// Package version says what a program was built from.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Both are stamped by the build: -ldflags "-X .../internal/version.version=v1.2.3 -X .../internal/version.commit=0123abc...".
// Neither is read but through Version and Commit, for `go build` and `go install` stamp nothing.
var (
	version string
	commit  string
)

const unknown = "unknown"

// Version gives the version that the build stamped, or else what Go noted of the module.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return unknown
}

// Commit gives the commit that the build stamped, or else the one that Go noted. That of a tree with changes ends in -dirty.
func Commit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	revision := settings["vcs.revision"]
	switch {
	case revision == "":
		return unknown
	case settings["vcs.modified"] == "true":
		return revision + "-dirty"
	}
	return revision
}

// Line tells all of it in one line, for people and for reports of bugs.
func Line(program string) string {
	return fmt.Sprintf("%s %s, commit %s, %s, %s/%s", program, Version(), Commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
