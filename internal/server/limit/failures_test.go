// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"net/netip"
	"testing"
	"time"
)

func TestFailures(t *testing.T) {
	here, there := address(1), address(2)
	for _, row := range []struct {
		name  string
		spend func(*world)
		// admitted says what becomes of one more try of the client orders from here.
		admitted bool
	}{
		{"the first try", func(*world) {}, true},
		{"up to the budget of the pair", func(w *world) { w.guess(here, "orders"); w.guess(here, "orders") }, true},
		{"beyond it", func(w *world) { w.guess(here, "orders"); w.guess(here, "orders"); w.guess(here, "orders") }, false},
		{"other clients have budgets of their own", func(w *world) { repeat(3, func() { w.guess(here, "other") }) }, true},
		{"so have other sources", func(w *world) { repeat(3, func() { w.guess(there, "orders") }) }, true},
		{"trying one secret on many clients spends the source's", func(w *world) {
			for i := range 5 {
				w.guess(here, name(i))
			}
		}, false},
		{"guessing from many addresses spends the client's", func(w *world) { w.spread(8, "orders") }, false},
		{"what succeeds costs nothing", func(w *world) {
			repeat(100, func() { _ = w.Admit(here, "orders"); w.Succeeded(here, "orders") })
		}, true},
		{"a source that was the client before is not kept out by guesses from elsewhere", func(w *world) {
			w.Succeeded(here, "orders")
			w.spread(100, "orders")
		}, true},
		{"nor by guesses at other clients from its own address", func(w *world) {
			w.Succeeded(here, "orders")
			for i := range 100 {
				w.guess(here, name(i))
			}
		}, true},
		{"but by its own", func(w *world) {
			w.Succeeded(here, "orders")
			repeat(3, func() { w.guess(here, "orders") })
		}, false},
		{"to be known for another client is no use", func(w *world) {
			w.Succeeded(here, "other")
			w.spread(8, "orders")
		}, false},
		{"nor is it after a month", func(w *world) {
			w.Succeeded(here, "orders")
			w.time = w.time.Add(provenFor)
			w.spread(8, "orders")
		}, false},
		{"to have been the client again in between is", func(w *world) {
			w.Succeeded(here, "orders")
			w.time = w.time.Add(provenFor / 2)
			w.Succeeded(here, "orders")
			w.time = w.time.Add(provenFor / 2)
			w.spread(8, "orders")
		}, true},
		{"a request that may be read to name two clients spends both budgets", func(w *world) {
			repeat(3, func() { w.guess(here, "orders", "other") })
		}, false},
		{"time brings back one", func(w *world) {
			repeat(3, func() { w.guess(here, "orders") })
			w.time = w.time.Add(10 * time.Second)
		}, true},
		{"and not two", func(w *world) {
			repeat(3, func() { w.guess(here, "orders") })
			w.time = w.time.Add(10 * time.Second)
			w.guess(here, "orders")
		}, false},
		{"not before its time", func(w *world) {
			repeat(3, func() { w.guess(here, "orders") })
			w.time = w.time.Add(10*time.Second - time.Millisecond)
		}, false},
		{"a clock that went back keeps nobody out for longer", func(w *world) {
			w.time = w.time.Add(time.Hour)
			repeat(3, func() { w.guess(here, "orders") })
			w.time = noon
			_ = w.Admit(here, "orders")
			w.time = w.time.Add(10 * time.Second)
		}, true},
		{"nor does it let anybody in", func(w *world) {
			w.time = w.time.Add(time.Hour)
			repeat(3, func() { w.guess(here, "orders") })
			w.time = noon
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(defaults)
			row.spend(w)
			if wait := retryAfter(t, w.Admit(here, "orders")); (wait == 0) != row.admitted {
				t.Errorf("got a wait of %v", wait)
			}
		})
	}
}

func repeat(n int, do func()) {
	for range n {
		do()
	}
}

// TestRetryAfter: who waits as long as it is told is let in, and not before.
func TestRetryAfter(t *testing.T) {
	w := newWorld(defaults)
	repeat(3, func() { w.guess(address(1), "orders") })
	w.time = w.time.Add(4 * time.Second)
	wait := retryAfter(t, w.Admit(address(1), "orders"))
	if wait != 6*time.Second {
		t.Fatalf("got %v", wait)
	}
	w.time = w.time.Add(wait)
	if err := w.Admit(address(1), "orders"); err != nil {
		t.Error(err)
	}
}

// TestNeighboursLearnNothing: over the budget of a source that several share, a client that the source is known for is let in
// with the right secret, and a wrong one gets the answer that every other name gets.
func TestNeighboursLearnNothing(t *testing.T) {
	w := newWorld(FailureBudgets{Pair: Budget{Burst: 100, Every: time.Second}, Source: defaults.Source, Client: defaults.Client})
	w.Succeeded(address(1), "orders")
	for i := range 5 {
		w.guess(address(1), name(i))
	}
	unknown := w.Admit(address(1), "nobody")
	if err := w.Admit(address(1), "orders"); err != nil {
		t.Fatalf("the client is kept out: %v", err)
	}
	known := w.Failed(address(1), "orders")
	if unknown == nil || known == nil || unknown.Error() != known.Error() || retryAfter(t, unknown) != retryAfter(t, known) {
		t.Errorf("an unknown client gets %v, one that the source is known for %v", unknown, known)
	}
}

func TestSources(t *testing.T) {
	for _, row := range []struct {
		name, first, second string
		same                bool
	}{
		{"two addresses of IPv4", "192.0.2.1", "192.0.2.2", false},
		{"one address, spelt as IPv6", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"two addresses of one /64", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"two of one /64 with zones", "fe80::1%eth0", "fe80::2%eth1", true},
		{"two /64 of one /48", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"IPv4 and the network of the same bits", "0.0.0.0", "::", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(defaults)
			repeat(3, func() { w.guess(netip.MustParseAddr(row.first), "orders") })
			if refused := w.Admit(netip.MustParseAddr(row.second), "orders") != nil; refused != row.same {
				t.Errorf("one source: %v", refused)
			}
		})
	}
	t.Run("requests without an address share a budget", func(t *testing.T) {
		w := newWorld(defaults)
		repeat(3, func() { w.guess(netip.Addr{}, "orders") })
		if w.Admit(netip.Addr{}, "orders") == nil {
			t.Error("they have none")
		}
	})
	t.Run("requests that name no client are held to the source's", func(t *testing.T) {
		w := newWorld(defaults)
		repeat(5, func() { w.guess(address(1)) })
		if w.Admit(address(1)) == nil || w.Admit(address(2)) != nil {
			t.Error("they are not")
		}
	})
}

func TestOff(t *testing.T) {
	w := newWorld(FailureBudgets{})
	repeat(10_000, func() {
		if !w.guess(address(1), "orders") {
			t.Fatal("refused")
		}
	})
	if used := w.pair.table.size() + w.source.table.size() + w.client.table.size(); used != 0 {
		t.Errorf("remembers %d keys", used)
	}
}
