// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/oauth"
)

// noon is the time at which a test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// defaults are small enough to be spent in a test.
var defaults = FailureBudgets{
	Pair:   Budget{Burst: 3, Every: 10 * time.Second},
	Source: Budget{Burst: 5, Every: 10 * time.Second},
	Client: Budget{Burst: 8, Every: 10 * time.Second},
}

// world has a clock that tests move.
type world struct {
	*Failures
	time time.Time
}

func newWorld(budgets FailureBudgets) *world {
	w := &world{time: noon}
	w.Failures = NewFailures(budgets, func() time.Time { return w.time }, NewRefusals(prometheus.NewRegistry()))
	return w
}

// address gives one of many addresses, each a network of its own.
func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// guess tries a wrong secret. It reports whether it was let in and answered as a wrong secret is.
func (w *world) guess(source netip.Addr, clientIDs ...string) bool {
	return w.Admit(source, clientIDs...) == nil && w.Failed(source, clientIDs...) == nil
}

// spread guesses n times from as many addresses.
func (w *world) spread(n int, clientID string) {
	for i := range n {
		w.guess(address(1000+i), clientID)
	}
}

// retryAfter gives the wait that a refusal names, zero for none.
func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	if err == nil {
		return 0
	}
	var refusal *oauth.Error
	if !errors.As(err, &refusal) || refusal.Code != oauth.CodeTemporarilyUnavailable || refusal.RetryAfter <= 0 {
		t.Fatalf("got %v", err)
	}
	return refusal.RetryAfter
}

func name(i int) string { return fmt.Sprintf("acme.client-%d", i) }
