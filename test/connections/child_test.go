// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"

	. "github.com/onsi/ginkgo/v2"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/test/harness"
)

// orders are what a process that is to be a manager is told.
type orders struct {
	Host, TokenFile, Replica string
	Offset                   time.Duration
}

// run is the manager until it is killed, or nobody holds its standard input open any more. Each line there is how far its clock is ahead
// of the machine's, in nanoseconds.
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
type child struct{ *harness.Process }

// startChild starts a manager as a process, which reaches the API server through a proxy at host.
func startChild(host, replica string, clock *harness.Clock) *child {
	GinkgoHelper()
	return &child{plane.StartProcess(orders{
		Host: host, TokenFile: plane.Identity(sandbox.ManagerServiceAccount).BearerTokenFile, Replica: replica, Offset: clock.Offset(),
	})}
}

// tell tells the process the time.
func (c *child) tell(clock *harness.Clock) {
	GinkgoHelper()
	c.Tell(strconv.FormatInt(int64(clock.Offset()), 10))
}
