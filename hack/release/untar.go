// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// untar writes the folders and files of a tar file below a folder, and nothing anywhere else.
func untar(from io.Reader, folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("opening the folder to unpack into: %w", err)
	}
	defer func() { _ = root.Close() }()
	in := tar.NewReader(from)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if err := untarOne(root, header, in); err != nil {
			return fmt.Errorf("unpacking %s: %w", header.Name, err)
		}
	}
}

func untarOne(root *os.Root, header *tar.Header, in io.Reader) error {
	name := path.Clean(strings.TrimSuffix(header.Name, "/"))
	if header.Typeflag == tar.TypeDir {
		return root.MkdirAll(name, 0o755) //nolint:wrapcheck // the caller names the file
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, header.FileInfo().Mode().Perm())
	if err != nil {
		return err //nolint:wrapcheck // the caller names the file
	}
	_, err = io.Copy(file, in)
	return errors.Join(err, file.Close())
}
