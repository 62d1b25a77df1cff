// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package gateways

import "os/exec"

// unprivileged: what the test starts has the rights of the test.
func unprivileged(*exec.Cmd, string) {}
