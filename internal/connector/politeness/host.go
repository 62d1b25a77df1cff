// SPDX-License-Identifier: Apache-2.0

package politeness

import (
	"time"

	"golang.org/x/time/rate"
)

// host is what is known of one. A circuit breaker has three states: closed, where requests pass; open, after failures in a row, where
// none does; and half open, when the rest is over, where one is let through to find out.
type host struct {
	limiter  *rate.Limiter
	inFlight int

	// failures in a row, and how often it was left alone since the last success.
	failures, rests int
	// until is when the rest is over. Zero: the host is not left alone.
	until time.Time
	// probing says that one request finds out whether the host is back.
	probing bool

	used time.Time
}

// enter says how long to wait before a request. Zero: it may be made, and is counted.
func (h *host) enter(limits Limits, now time.Time) time.Duration {
	h.used = now
	switch {
	case h.open(limits, now):
		return h.until.Sub(now)
	case h.inFlight >= limits.InFlight, h.resting() && h.probing:
		return limits.Turn
	}
	reservation := h.limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now) // nobody waits here: somebody else may have the turn
		return max(wait, limits.Turn)
	}
	h.inFlight++
	h.probing = h.resting()
	return 0
}

func (h *host) resting() bool { return !h.until.IsZero() }

// open reports whether the host is left alone now. A rest that is longer than there is one is of a clock that was set back.
func (h *host) open(limits Limits, now time.Time) bool {
	return h.resting() && now.Before(h.until) && h.until.Sub(now) <= limits.MostRest
}

// leave tells how a request went that was let through.
func (h *host) leave(limits Limits, now time.Time, how Outcome) {
	h.inFlight--
	h.probing = false
	switch how {
	case Answered:
		h.failures, h.rests, h.until = 0, 0, time.Time{}
	case Failed:
		h.failures++
		if h.resting() && now.Before(h.until) {
			return // it was under way when the others failed
		}
		if h.failures >= limits.Failures {
			h.until = now.Add(limits.rest(h.rests))
			h.rests++
		}
	default: // nobody was asked, so nothing is known
	}
}

// forgettable reports whether a new host would be treated the same.
func (h *host) forgettable(limits Limits, now time.Time) bool {
	return h.inFlight == 0 && now.Sub(h.used) > max(forgetAfter, limits.MostRest)
}
