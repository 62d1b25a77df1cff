// SPDX-License-Identifier: Apache-2.0

package controlplane

import "syscall"

// childAttributes keep Ctrl-C in a terminal from reaching the components, which are stopped in order instead, and let none
// of them outlive this process, however that ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
