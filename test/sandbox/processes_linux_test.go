// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// descendants gives a process and all below it, from /proc.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	family := []int{pid}
	for i := 0; i < len(family); i++ {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", family[i]))
		check(t, err)
		for _, task := range tasks {
			raw, err := os.ReadFile(task)
			if err != nil {
				continue // a thread that has ended
			}
			for _, field := range strings.Fields(string(raw)) {
				child, err := strconv.Atoi(field)
				check(t, err)
				family = append(family, child)
			}
		}
	}
	if len(family) < 4 {
		t.Fatalf("only %d processes: etcd, kube-apiserver and kube-controller-manager should be among them", len(family))
	}
	return family
}

// expectGone waits until none of the processes exists.
func expectGone(t *testing.T, family []int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range family {
		for exists(pid) {
			if time.Now().After(deadline) {
				name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
				t.Fatalf("process %d (%s) still runs", pid, strings.TrimSpace(string(name)))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// exists reports whether a process runs; one that has ended and was not yet waited for does not.
func exists(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(raw), ") Z ")
}

// expectLoopbackOnly fails where a process or one below it listens on another address than loopback.
func expectLoopbackOnly(t *testing.T, pid int) {
	t.Helper()
	sockets := socketsOf(t, descendants(t, pid))
	found := 0
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if os.IsNotExist(err) {
			continue
		}
		check(t, err)
		for line := range strings.Lines(string(raw)) {
			fields := strings.Fields(line)
			const listening = "0A"
			if len(fields) < 10 || fields[3] != listening || !slices.Contains(sockets, fields[9]) {
				continue
			}
			found++
			address, _, _ := strings.Cut(fields[1], ":")
			if !isLoopback(t, address) {
				t.Errorf("something listens on %s", fields[1])
			}
		}
	}
	if found < 5 {
		t.Fatalf("only %d listening sockets found, so this proves nothing", found)
	}
}

// socketsOf gives the inodes of the sockets that the processes hold.
func socketsOf(t *testing.T, family []int) []string {
	t.Helper()
	var inodes []string
	for _, pid := range family {
		links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		check(t, err)
		for _, link := range links {
			target, err := os.Readlink(link)
			if err != nil {
				continue // closed meanwhile
			}
			if inode, found := strings.CutPrefix(target, "socket:["); found {
				inodes = append(inodes, strings.TrimSuffix(inode, "]"))
			}
		}
	}
	return inodes
}

// isLoopback reads an address as /proc/net writes it: hexadecimal, each 32-bit word in the machine's byte order.
func isLoopback(t *testing.T, address string) bool {
	t.Helper()
	raw, err := hex.DecodeString(address)
	check(t, err)
	const four, six, mapped = "0100007f", "00000000000000000000000001000000", "0000000000000000ffff00000100007f"
	return slices.Contains([]string{four, six, mapped}, hex.EncodeToString(raw))
}
