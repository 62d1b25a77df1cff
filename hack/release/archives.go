// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archives packs each program for each platform, with the licence and the README.
func (r *release) archives(_ context.Context, work string) error {
	for _, platform := range r.platforms {
		for _, program := range []string{server, plugin} {
			entries := []entry{
				{name: "LICENSE", from: filepath.Join(r.root, "LICENSE"), mode: 0o644},
				{name: "README.md", from: filepath.Join(r.root, "README.md"), mode: 0o644},
				{name: executable(platform, program), from: binary(work, platform, program), mode: 0o755},
			}
			pack := tarGzip
			if strings.HasPrefix(platform, "windows/") {
				pack = zipped
			}
			if err := pack(r.file(r.archive(program, platform)), entries, r.time); err != nil {
				return err
			}
		}
	}
	return nil
}

// archive is the name of the archive of a program for a platform.
func (r *release) archive(program, platform string) string {
	if strings.HasPrefix(platform, "windows/") {
		return r.base(program, platform) + ".zip"
	}
	return r.base(program, platform) + ".tar.gz"
}

func (r *release) base(program, platform string) string {
	return program + "_" + r.version + "_" + strings.ReplaceAll(platform, "/", "_")
}

// entry is a file or, where it comes from nowhere, a folder of an archive. All belong to root, and all were changed at one time.
type entry struct {
	name string
	from string
	data []byte
	mode int64
}

func (e entry) open() (io.ReadCloser, int64, error) {
	if e.data != nil {
		return io.NopCloser(bytes.NewReader(e.data)), int64(len(e.data)), nil
	}
	file, err := os.Open(e.from)
	if err != nil {
		return nil, 0, fmt.Errorf("opening what to pack: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// tarred writes entries as a tar file.
func tarred(to io.Writer, entries []entry, changed time.Time) error {
	out := tar.NewWriter(to)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, ModTime: changed, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
			if err := out.WriteHeader(header); err != nil {
				return fmt.Errorf("packing %s: %w", e.name, err)
			}
			continue
		}
		in, size, err := e.open()
		if err != nil {
			return err
		}
		header.Size = size
		err = out.WriteHeader(header)
		if err == nil {
			_, err = io.Copy(out, in)
		}
		if err = errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("packing %s: %w", e.name, err)
		}
	}
	return out.Close()
}

func tarGzip(path string, entries []entry, changed time.Time) error {
	return create(path, func(file io.Writer) error {
		out := gzip.NewWriter(file)
		return errors.Join(tarred(out, entries, changed), out.Close())
	})
}

func zipped(path string, entries []entry, changed time.Time) error {
	return create(path, func(file io.Writer) error {
		out := zip.NewWriter(file)
		for _, e := range entries {
			header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: changed}
			header.SetMode(os.FileMode(e.mode)) //nolint:gosec // a mode of ours, which fits
			to, err := out.CreateHeader(header)
			if err != nil {
				return fmt.Errorf("packing %s: %w", e.name, err)
			}
			in, _, err := e.open()
			if err != nil {
				return err
			}
			_, err = io.Copy(to, in)
			if err = errors.Join(err, in.Close()); err != nil {
				return fmt.Errorf("packing %s: %w", e.name, err)
			}
		}
		return out.Close()
	})
}

// create writes a file of a release, which everybody may read.
func create(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) //nolint:gosec // it is for everybody
	if err != nil {
		return fmt.Errorf("making a file of the release: %w", err)
	}
	return errors.Join(write(file), file.Close())
}
