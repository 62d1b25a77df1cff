// SPDX-License-Identifier: Apache-2.0

// Release builds what a release of Claviger is made of, and publishes its image: see docs/guides/release.md.
//
//	release snapshot -version v0.1.0 -commit 0123abc... -time 1767225600 [-image claviger/claviger] [-platforms linux/amd64,...]
//	release push     -version v0.1.0 -image example.test/claviger
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release: "+err.Error())
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say what to do: snapshot or push")
	}
	flags := flag.NewFlagSet("release "+args[0], flag.ContinueOnError)
	r := &release{log: os.Stderr}
	flags.StringVar(&r.root, "root", "../..", "the repository")
	flags.StringVar(&r.version, "version", "", "the version, such as v0.1.0")
	flags.StringVar(&r.image, "image", defaultImage, "where clusters pull the image from, without a tag")
	flags.StringVar(&r.commit, "commit", "", "snapshot: the commit that is built")
	seconds := flags.Int64("time", 0, "snapshot: when that commit was made, in seconds since 1970")
	platforms := flags.String("platforms", strings.Join(allPlatforms, ","), "snapshot: what to build for")
	if err := flags.Parse(args[1:]); err != nil {
		return err //nolint:wrapcheck // flag says which flag it is about
	}
	r.time = time.Unix(*seconds, 0).UTC()
	r.platforms = strings.Split(*platforms, ",")
	root, err := filepath.Abs(r.root) // other programs run in other folders
	if err != nil {
		return fmt.Errorf("finding the repository: %w", err)
	}
	r.root, r.dist = root, filepath.Join(root, "dist")
	if err := r.validate(); err != nil {
		return err
	}
	switch args[0] {
	case "snapshot":
		return r.snapshot(ctx)
	case "push":
		return r.push(ctx)
	}
	return fmt.Errorf("%q is neither snapshot nor push", args[0])
}
