// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ordersVariable names the file with the orders of a process, in its environment.
const ordersVariable = "CLAVIGER_TEST_ORDERS"

// Process is this test binary once more, as a process of its own, which can be killed and stopped. It is no other binary, because it may
// need what only a test has, such as its clock.
type Process struct {
	command *exec.Cmd
	stdin   io.WriteCloser
}

// Orders reads what StartProcess has told this process, and reports whether it was started so. It is for a TestMain.
func Orders(into any) (bool, error) {
	file := os.Getenv(ordersVariable)
	if file == "" {
		return false, nil
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return true, fmt.Errorf("reading orders: %w", err)
	}
	return true, nil
}

// StartProcess starts a process with orders, which ends with the spec. What it says goes to the ledger.
func (p *Plane) StartProcess(orders any) *Process {
	GinkgoHelper()
	text, err := json.Marshal(orders)
	Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(GinkgoT().TempDir(), "orders")
	Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	command := exec.Command(self)
	command.Env = append(os.Environ(), ordersVariable+"="+file)
	command.Stdout, command.Stderr = p.Ledger, p.Ledger
	stdin, err := command.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	process := &Process{command, stdin}
	DeferCleanup(process.Kill)
	return process
}

// Tell writes a line to the standard input of the process.
func (p *Process) Tell(line string) {
	GinkgoHelper()
	_, err := fmt.Fprintln(p.stdin, line)
	Expect(err).NotTo(HaveOccurred())
}

// Signal sends a signal.
func (p *Process) Signal(signal os.Signal) {
	GinkgoHelper()
	Expect(p.command.Process.Signal(signal)).To(Succeed())
}

// Kill kills the process as the kernel does, and waits until it is gone. One that is gone stays so.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}
