// SPDX-License-Identifier: Apache-2.0

// Package politeness keeps the requests to each provider's host within bounds, so that one that is away neither holds up the others nor
// is hammered: so many at a time, so many a second, and none for a while after so many failures in a row. Nobody waits in it: whoever
// may not ask now is told when to come back.
//
// github.com/sony/gobreaker reads a clock of its own, so that neither a test nor a model can move it.
package politeness

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are those of each host.
type Limits struct {
	// Rate is how many requests a second, of which Burst may come at once.
	Rate  float64
	Burst int
	// InFlight is how many requests at a time.
	InFlight int
	// Failures in a row have the host left alone: for LeastRest, and twice as long each time that it has not come back, up to MostRest.
	Failures            int
	LeastRest, MostRest time.Duration
	// Turn is the least time to come back after where too many ask at the moment.
	Turn time.Duration
}

// Default are the limits for providers. The failures are as many as requests may be in flight: a host that dies costs one timeout of so
// many workers, and then none.
func Default() Limits {
	return Limits{
		Rate: 50, Burst: 50, InFlight: 4, Failures: 4,
		LeastRest: 5 * time.Second, MostRest: 2 * time.Minute, Turn: 5 * time.Second,
	}
}

// rest is how long a host is left alone that was so before, so many times in a row.
func (l Limits) rest(before int) time.Duration {
	if before > 16 {
		return l.MostRest
	}
	return min(l.LeastRest<<before, l.MostRest)
}

// Outcome is how a request went.
type Outcome int

const (
	// Unasked: it was not made after all.
	Unasked Outcome = iota
	// Answered: the host is there, whatever it said.
	Answered
	// Failed: it did not answer, or said that it cannot.
	Failed
)

const (
	// forgetAfter is how long after its last request a host is forgotten: tenants may name hosts without end.
	forgetAfter = 10 * time.Minute
	// sweepEvery is after how many hosts that are new others are forgotten.
	sweepEvery = 64
)

// Hosts are those that are asked. It is safe for concurrent use.
type Hosts struct {
	limits Limits
	now    func() time.Time

	mutex sync.Mutex
	hosts map[string]*host
	fresh int
}

// New makes one that knows no host yet.
func New(limits Limits, now func() time.Time) *Hosts {
	return &Hosts{limits: limits, now: now, hosts: map[string]*host{}}
}

// Enter says how long to wait before a request to a host. Where that is zero, the request may be made, and leave must be called once,
// with how it went.
func (h *Hosts) Enter(name string) (leave func(Outcome), wait time.Duration) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	now, entered := h.now(), h.host(name)
	if wait := entered.enter(h.limits, now); wait > 0 {
		return nil, wait
	}
	return func(how Outcome) {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		entered.leave(h.limits, h.now(), how)
	}, 0
}

// Resting counts the hosts that are left alone.
func (h *Hosts) Resting() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	count := 0
	for _, host := range h.hosts {
		if host.resting() {
			count++
		}
	}
	return count
}

func (h *Hosts) host(name string) *host {
	if found := h.hosts[name]; found != nil {
		return found
	}
	if h.fresh++; h.fresh%sweepEvery == 0 {
		for name, host := range h.hosts {
			if host.forgettable(h.limits, h.now()) {
				delete(h.hosts, name)
			}
		}
	}
	made := &host{limiter: rate.NewLimiter(rate.Limit(h.limits.Rate), h.limits.Burst), used: h.now()}
	h.hosts[name] = made
	return made
}
