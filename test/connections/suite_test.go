// SPDX-License-Identifier: Apache-2.0

// Package connections holds the manager to docs/refresh-protocol.md against providers: one that goes wrong in every way there is,
// some that no one here wrote, and Claviger itself; and through its death and its sleep at every step of a refresh.
package connections

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

// TestMain has the binary be a manager where it was started as one; see child_test.go.
func TestMain(m *testing.M) {
	var told orders
	if ordered, err := harness.Orders(&told); ordered {
		if err == nil {
			err = told.run()
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestConnections(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Connections")
}

var plane *harness.Plane

var _ = BeforeSuite(func() {
	plane = harness.StartPlane()
	// Most of what is waited for is in dozens of objects at once, and each look is a request to the API server.
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
})

var _ = AfterSuite(func(ctx context.Context) {
	if plane != nil && *benchFor == 0 { // which has more secrets than can be looked for
		plane.Ledger.ExpectNoLeak(ctx)
	}
})

var names atomic.Int64

// fresh gives a name that no other spec has, for accounts, namespaces and Connectors.
func fresh() string { return fmt.Sprintf("c%d", names.Add(1)) }

// reaching lets a manager call what runs on this machine, by the clock of the test.
func reaching(clock *harness.Clock) func(*app.ManagerOptions) {
	return func(o *app.ManagerOptions) {
		o.EgressAllow, o.EgressAllowHTTP = []string{"127.0.0.0/8"}, true
		if clock != nil {
			o.Clock = clock.Now
		}
	}
}
