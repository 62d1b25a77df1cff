// SPDX-License-Identifier: Apache-2.0

// Package nodejs runs programs of a committed npm project, so that a suite can try clients that are written for Node.js.
package nodejs

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// oldest is the oldest release of Node.js that every package of our projects supports.
	oldest = 20
	// attempts at an installation: a registry may fail once among a hundred packages.
	attempts = 3
)

// driver runs the modules of every project: main.mjs calls them, and secrets.mjs is for them to import.
//
//go:embed driver/*.mjs
var driver embed.FS

// Project is an npm project with its packages installed.
type Project struct {
	// dir has the project's files beside its packages.
	dir string
}

// Prepare installs the packages of the npm project in a folder, exactly those of its lock file, and never runs their
// scripts. They go into a per-user cache that all clones share, so it takes long once for each lock file. The spec is skipped
// on a machine without Node.js, which hack/test.sh reports; CI has it.
func Prepare(ctx context.Context, dir string) Project {
	GinkgoHelper()
	if err := usable(ctx); err != nil {
		if os.Getenv("CI") == "true" {
			Fail(err.Error())
		}
		Skip(err.Error())
	}
	modules, err := install(ctx, dir)
	Expect(err).NotTo(HaveOccurred())
	work, err := os.MkdirTemp("", "claviger-node-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, work)
	programs, err := filepath.Glob(filepath.Join(dir, "*.mjs"))
	Expect(err).NotTo(HaveOccurred())
	for _, file := range append(programs, filepath.Join(dir, "package.json")) {
		Expect(copyFile(file, work)).To(Succeed())
	}
	Expect(writeDriver(work)).To(Succeed())
	// Node.js looks for packages beside the program and above it, wherever it is started.
	Expect(os.Symlink(modules, filepath.Join(work, "node_modules"))).To(Succeed())
	return Project{dir: work}
}

// usable says what is missing on this machine.
func usable(ctx context.Context) error {
	for _, command := range []string{"node", "npm"} {
		if _, err := exec.LookPath(command); err != nil {
			return fmt.Errorf("there is no %s on this machine", command)
		}
	}
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("asking Node.js for its version: %w", err)
	}
	version := strings.TrimSpace(string(out))
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if number, err := strconv.Atoi(major); err != nil || number < oldest {
		return fmt.Errorf("version %[2]d of Node.js or newer is needed, and on this machine is %[1]s", version, oldest)
	}
	return nil
}

// install gives the folder of a project's packages.
func install(ctx context.Context, dir string) (string, error) {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return "", fmt.Errorf("reading the lock file: %w", err)
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	installed := filepath.Join(cache, fmt.Sprintf("%x", sha256.Sum256(lock)))
	modules := filepath.Join(installed, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	// The folder gets its name when it is whole, so an installation that was cut short is never taken for a finished one.
	half, err := os.MkdirTemp(cache, ".half-")
	if err != nil {
		return "", fmt.Errorf("making a folder in the cache: %w", err)
	}
	defer os.RemoveAll(half)
	for _, name := range []string{"package.json", "package-lock.json"} {
		if err := copyFile(filepath.Join(dir, name), half); err != nil {
			return "", err
		}
	}
	if err := npmInstall(ctx, half); err != nil {
		return "", err
	}
	if err := os.Rename(half, installed); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("naming the installed packages: %w", err)
	}
	return modules, nil
}

func npmInstall(ctx context.Context, dir string) error {
	var failures []error
	for range attempts {
		command := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")
		command.Dir = dir
		out, err := command.CombinedOutput()
		if err == nil {
			return nil
		}
		failures = append(failures, fmt.Errorf("npm ci: %w: %s", err, out))
	}
	return errors.Join(failures...)
}

func cacheFolder() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache: %w", err)
		}
		base = filepath.Join(home, ".cache")
	}
	folder := filepath.Join(base, "claviger", "node")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("making the cache: %w", err)
	}
	return folder, nil
}

func writeDriver(folder string) error {
	files, err := fs.Sub(driver, "driver")
	if err != nil {
		return fmt.Errorf("opening the driver: %w", err)
	}
	if err := os.CopyFS(folder, files); err != nil {
		return fmt.Errorf("writing the driver: %w", err)
	}
	return nil
}

func copyFile(from, toFolder string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	if err := os.WriteFile(filepath.Join(toFolder, filepath.Base(from)), content, 0o600); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return nil
}

// Read gives a file of an installed package.
func (p Project) Read(file string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(p.dir, "node_modules", file))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}
