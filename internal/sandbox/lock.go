// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps a second sandbox off a directory. The kernel drops it when the process ends, however it ends.
type lock struct{ file *os.File }

func acquire(dir string) (*lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: the user's own directory
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("a sandbox is already running on %s; use it, stop it, or name another directory with --dir", dir)
		}
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return &lock{file: file}, nil
}

func (l *lock) release() { _ = l.file.Close() }
