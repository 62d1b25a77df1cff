// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/test/harness"
)

// ordersVariable names the file with the orders of a process that is to be a manager, in its environment.
const ordersVariable = "CLAVIGER_TEST_MANAGER"

// orders are what such a process is told. It is this test binary and no other, because it must have the test's clock.
type orders struct {
	Host, TokenFile, Replica string
	Offset                   time.Duration
}

// manage is the manager until it is killed, or nobody holds its standard input open any more. Each line there is how far its clock is
// ahead of the machine's, in nanoseconds.
func manage(file string) int {
	var told orders
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	if err == nil {
		err = told.run()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func (o orders) run() error {
	clock := &harness.Clock{}
	clock.Set(o.Offset)
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			if offset, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
				clock.Set(time.Duration(offset))
			}
		}
		os.Exit(0)
	}()
	options := app.ManagerOptions{HealthAddress: "0", ReplicaName: o.Replica, Common: app.Common{
		Namespace: config.Namespace, Issuer: harness.Issuer, MetricsAddress: "0", LogLevel: "debug", LogFormat: "json",
	}}
	reaching(clock)(&options)
	if err := options.Complete(); err != nil {
		return err
	}
	logger := options.Logger(os.Stderr)
	app.UseLogger(logger)
	access := &rest.Config{Host: o.Host, BearerTokenFile: o.TokenFile, QPS: -1}
	return app.RunManager(logr.NewContext(context.Background(), logger), access, options)
}

// child is a manager that is a process of its own.
type child struct {
	command *exec.Cmd
	clock   io.WriteCloser
}

// startChild starts a manager as a process, which reaches the API server through a proxy at host.
func startChild(host, replica string, clock *harness.Clock) *child {
	GinkgoHelper()
	access := plane.Identity(sandbox.ManagerServiceAccount)
	text, err := json.Marshal(orders{Host: host, TokenFile: access.BearerTokenFile, Replica: replica, Offset: clock.Offset()})
	Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(GinkgoT().TempDir(), "orders")
	Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	command := exec.Command(self)
	command.Env = append(os.Environ(), ordersVariable+"="+file)
	command.Stdout, command.Stderr = plane.Ledger, plane.Ledger
	stdin, err := command.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	started := &child{command, stdin}
	DeferCleanup(started.kill)
	return started
}

// tell tells the process the time.
func (c *child) tell(clock *harness.Clock) {
	GinkgoHelper()
	_, err := fmt.Fprintln(c.clock, int64(clock.Offset()))
	Expect(err).NotTo(HaveOccurred())
}

// kill kills the process as the kernel does, and waits until it is gone. One that is gone stays so.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	_ = c.command.Wait()
}
