// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package controlplane

import "syscall"

// childAttributes keep Ctrl-C in a terminal from reaching the components, which are stopped in order instead.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
