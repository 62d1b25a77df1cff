// SPDX-License-Identifier: Apache-2.0

// The race detector has pools forget at random, so that nothing can be said of allocations under it.
//go:build !race

package bench

import (
	"net/http"
	"testing"
)

// TestAllocations holds the hot paths to their bounds.
func TestAllocations(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			ask, floor := s.call.again(s.ours), s.call.again(s.floor)
			if status := ask(); status != http.StatusOK {
				t.Fatalf("got %d", status)
			}
			got := testing.AllocsPerRun(20, func() { ask() })
			t.Logf("%v allocations; the floor has %v", got, testing.AllocsPerRun(20, func() { floor() }))
			if got > s.allocations {
				t.Errorf("%v allocations, want at most %v", got, s.allocations)
			}
		})
	}
}

// Benchmark is for profiles: `go test ./test/bench -bench 'verify,_known' -cpuprofile cpu.out`. What it costs beside the floor is
// in docs/benchmarks.md.
func Benchmark(b *testing.B) {
	for _, s := range scenarios(b) {
		for name, handler := range map[string]http.Handler{"claviger": s.ours, "floor": s.floor} {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				ask := s.call.again(handler)
				for b.Loop() {
					if status := ask(); status != http.StatusOK {
						b.Fatalf("got %d", status)
					}
				}
			})
		}
	}
}
