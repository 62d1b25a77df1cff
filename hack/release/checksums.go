// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// sumsFile has a line for every other file, as sha256sum --check reads them.
const sumsFile = "SHA256SUMS"

func (r *release) checksums(_ context.Context, _ string) error {
	files, err := os.ReadDir(r.dist) // in the order of names
	if err != nil {
		return fmt.Errorf("listing the release: %w", err)
	}
	lines := ""
	for _, file := range files {
		sum, err := sum(r.file(file.Name()))
		if err != nil {
			return err
		}
		lines += sum + "  " + file.Name() + "\n"
	}
	return create(r.file(sumsFile), func(out io.Writer) error {
		_, err := io.WriteString(out, lines)
		return err
	})
}

func sum(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // a file of the release
	if err != nil {
		return "", fmt.Errorf("opening what to sum up: %w", err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("summing up %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
