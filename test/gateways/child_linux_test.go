// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// nobody is the user and the group without rights.
const nobody = 65534

// unprivileged takes root's rights from a program that is about to run in a folder of its own, and lets it not outlive the test.
func unprivileged(command *exec.Cmd, dir string) {
	GinkgoHelper()
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if os.Geteuid() != 0 {
		return
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	Expect(filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})).To(Succeed())
}
