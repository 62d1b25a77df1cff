// SPDX-License-Identifier: Apache-2.0

package politeness_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/circuit"
	"github.com/claviger/claviger/internal/connector/politeness"
)

var limits = politeness.Limits{
	Rate: 1, Burst: 10, InFlight: 2, Turn: time.Second,
	Circuit: circuit.Limits{Failures: 2, LeastRest: 10 * time.Second, MostRest: time.Minute},
}

// street is a host that is asked, and a clock.
type street struct {
	t     *testing.T
	clock time.Time
	hosts *politeness.Hosts
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{t: t, clock: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)}
	s.hosts = politeness.New(limits, func() time.Time { return s.clock })
	return s
}

// enter expects to be let in.
func (s *street) enter(host string) func(politeness.Outcome) {
	s.t.Helper()
	leave, wait := s.hosts.Enter(host)
	if wait != 0 {
		s.t.Fatalf("must wait %s", wait)
	}
	return leave
}

// refused expects to be told to wait.
func (s *street) refused(host string, want time.Duration) {
	s.t.Helper()
	if _, wait := s.hosts.Enter(host); wait != want {
		s.t.Fatalf("must wait %s, want %s", wait, want)
	}
}

// fail has so many requests fail, one after the other.
func (s *street) fail(host string, times int) {
	s.t.Helper()
	for range times {
		s.enter(host)(politeness.Failed)
	}
}

func TestHosts(t *testing.T) {
	const host, other = "a.example", "b.example"
	for _, row := range []struct {
		name string
		play func(*street)
	}{
		{"requests that are answered pass", func(s *street) {
			for range 5 {
				s.enter(host)(politeness.Answered)
			}
		}},
		{"so many at a time, and others in their turn", func(s *street) {
			first, _ := s.enter(host), s.enter(host)
			s.refused(host, time.Second)
			s.enter(other)
			first(politeness.Answered)
			s.enter(host)
		}},
		{"so many a second, and others when there is room", func(s *street) {
			for range 10 {
				s.enter(host)(politeness.Answered)
			}
			s.refused(host, time.Second)
			s.refused(host, time.Second) // who waits takes nobody's turn
			s.enter(other)
			s.clock = s.clock.Add(time.Second)
			s.enter(host)(politeness.Answered)
			s.refused(host, time.Second)
		}},
		{"one failure is none", func(s *street) {
			s.fail(host, 1)
			s.enter(host)(politeness.Answered)
			s.fail(host, 1)
			s.enter(host)
		}},
		{"failures in a row have it left alone, and no other", func(s *street) {
			s.fail(host, 2)
			s.refused(host, 10*time.Second)
			s.enter(other)
			s.clock = s.clock.Add(4 * time.Second)
			s.refused(host, 6*time.Second)
		}},
		{"then one finds out, and all may when it is back", func(s *street) {
			s.fail(host, 2)
			s.clock = s.clock.Add(10 * time.Second)
			probe := s.enter(host)
			s.refused(host, time.Second)
			probe(politeness.Answered)
			s.enter(host)
			s.enter(host)
		}},
		{"it is left alone twice as long where it is not", func(s *street) {
			s.fail(host, 2)
			for _, rest := range []time.Duration{10, 20, 40, 60, 60} {
				s.refused(host, rest*time.Second)
				s.clock = s.clock.Add(rest * time.Second)
				s.fail(host, 1)
			}
		}},
		{"a probe that was not made lets another find out", func(s *street) {
			s.fail(host, 2)
			s.clock = s.clock.Add(10 * time.Second)
			s.enter(host)(politeness.Unasked)
			s.enter(host)(politeness.Answered)
			s.enter(host)
		}},
		{"those that were under way when it was left alone make that no longer", func(s *street) {
			first, second := s.enter(host), s.enter(host)
			s.clock = s.clock.Add(20 * time.Second)
			first(politeness.Failed)
			second(politeness.Failed)
			third := limits.Circuit.LeastRest
			s.refused(host, third)
		}},
		{"one that answers after all ends the rest", func(s *street) {
			slow := s.enter(host)
			s.fail(host, 2)
			slow(politeness.Answered)
			s.enter(host)
		}},
		{"a clock that was set back holds nobody up", func(s *street) {
			s.fail(host, 2)
			s.clock = s.clock.Add(-time.Hour)
			s.enter(host)
		}},
	} {
		t.Run(row.name, func(t *testing.T) { row.play(newStreet(t)) })
	}
}

func TestResting(t *testing.T) {
	s := newStreet(t)
	s.fail("a.example", 2)
	s.fail("b.example", 2)
	s.fail("c.example", 1)
	if got := s.hosts.Resting(); got != 2 {
		t.Errorf("%d are left alone", got)
	}
}

// TestHostsThatNobodyAsks are forgotten, so that tenants who make up names fill no memory; and those that are asked are not.
func TestHostsThatNobodyAsks(t *testing.T) {
	s := newStreet(t)
	open := s.enter("open.example")
	for i := range 1000 {
		s.fail(fmt.Sprintf("%d.example", i), 2)
	}
	s.clock = s.clock.Add(time.Hour)
	for i := range 100 {
		s.enter(fmt.Sprintf("new-%d.example", i))(politeness.Answered)
	}
	if got := s.hosts.Resting(); got != 0 {
		t.Errorf("%d are remembered", got)
	}
	s.enter("open.example")
	s.refused("open.example", time.Second)
	open(politeness.Answered)
	s.enter("open.example")
}

// TestManyAtOnce: however many ask at the same time, no more are let in than the limits say, and each place is given back.
func TestManyAtOnce(t *testing.T) {
	limits, clock := politeness.Default(), time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	hosts := politeness.New(limits, func() time.Time { return clock })
	var all sync.WaitGroup
	var in, most, entered atomic.Int64
	for range 32 {
		all.Go(func() {
			for range 100 {
				leave, wait := hosts.Enter("a.example")
				if wait > 0 {
					continue
				}
				entered.Add(1)
				for now := in.Add(1); ; {
					if before := most.Load(); now <= before || most.CompareAndSwap(before, now) {
						break
					}
				}
				runtime.Gosched() // so that others ask meanwhile
				in.Add(-1)
				leave(politeness.Answered)
			}
		})
	}
	all.Wait()
	if most.Load() > int64(limits.InFlight) || entered.Load() > int64(limits.Burst) {
		t.Errorf("%d were in at once, and %d in all", most.Load(), entered.Load())
	}
	clock = clock.Add(time.Minute)
	for range limits.InFlight {
		if _, wait := hosts.Enter("a.example"); wait > 0 {
			t.Errorf("a place was not given back: wait %s", wait)
		}
	}
	if _, wait := hosts.Enter("a.example"); wait != limits.Turn {
		t.Errorf("one more is let in after %s", wait)
	}
}
