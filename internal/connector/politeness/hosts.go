// SPDX-License-Identifier: Apache-2.0

// Package politeness keeps the requests to each provider's host within bounds, so that one that is away neither holds up the others nor
// is hammered: so many at a time, so many a second, and none for a while after so many failures in a row. Nobody waits in it: whoever
// may not ask now is told when to come back.
package politeness

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/claviger/claviger/internal/circuit"
)

// Limits are those of each host.
type Limits struct {
	// Rate is how many requests a second, of which Burst may come at once.
	Rate  float64
	Burst int
	// InFlight is how many requests at a time.
	InFlight int
	// Circuit says when a host is left alone.
	Circuit circuit.Limits
	// Turn is the least time to come back after where too many ask at the moment.
	Turn time.Duration
}

// Default are the limits for providers. The failures are as many as requests may be in flight: a host that dies costs one timeout of so
// many workers, and then none.
func Default() Limits {
	return Limits{
		Rate: 50, Burst: 50, InFlight: 4, Turn: 5 * time.Second,
		Circuit: circuit.Limits{Failures: 4, LeastRest: 5 * time.Second, MostRest: 2 * time.Minute},
	}
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
	// resting counts those that are left alone.
	resting int
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
		before := entered.breaker.Resting()
		entered.leave(h.limits, h.now(), how)
		switch now := entered.breaker.Resting(); {
		case now && !before:
			h.resting++
		case before && !now:
			h.resting--
		}
	}, 0
}

// Resting counts the hosts that are left alone.
func (h *Hosts) Resting() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.resting
}

func (h *Hosts) host(name string) *host {
	if found := h.hosts[name]; found != nil {
		return found
	}
	if h.fresh++; h.fresh%sweepEvery == 0 {
		for name, host := range h.hosts {
			if host.forgettable(h.limits, h.now()) {
				if host.breaker.Resting() {
					h.resting--
				}
				delete(h.hosts, name)
			}
		}
	}
	made := &host{limiter: rate.NewLimiter(rate.Limit(h.limits.Rate), h.limits.Burst), used: h.now()}
	h.hosts[name] = made
	return made
}
