// SPDX-License-Identifier: Apache-2.0

package politeness

import (
	"net"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/claviger/claviger/internal/circuit"
)

// NameOf gives the name of an endpoint's host, by which Enter knows it: however it is written, a host is one.
func NameOf(endpoint *url.URL) string {
	port := endpoint.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[endpoint.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(endpoint.Hostname(), ".")), port)
}

// host is what is known of one.
type host struct {
	limiter  *rate.Limiter
	breaker  circuit.Breaker
	inFlight int
	used     time.Time
}

// enter says how long to wait before a request. Zero: it may be made, and is counted.
func (h *host) enter(limits Limits, now time.Time) time.Duration {
	h.used = now
	switch rest, may := h.breaker.Wait(limits.Circuit, now); {
	case rest > 0:
		return rest
	case !may, h.inFlight >= limits.InFlight:
		return limits.Turn
	}
	reservation := h.limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now) // nobody waits here: somebody else may have the turn
		return max(wait, limits.Turn)
	}
	h.inFlight++
	h.breaker.Pass()
	return 0
}

// leave tells how a request went that was let through.
func (h *host) leave(limits Limits, now time.Time, how Outcome) {
	h.inFlight--
	switch how {
	case Answered:
		h.breaker.Succeed()
	case Failed:
		h.breaker.Fail(limits.Circuit, now)
	default:
		h.breaker.Abstain()
	}
}

// forgettable reports whether a new host would be treated the same.
func (h *host) forgettable(limits Limits, now time.Time) bool {
	return h.inFlight == 0 && now.Sub(h.used) > max(forgetAfter, limits.Circuit.MostRest)
}
