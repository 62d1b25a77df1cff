// SPDX-License-Identifier: Apache-2.0

// Package circuit has a circuit breaker: it keeps requests from somebody who does not answer. The clock is a parameter, as
// github.com/sony/gobreaker has none, so that tests and models can move it.
package circuit

import "time"

// Limits say when somebody is left alone, and for how long.
type Limits struct {
	// Failures in a row, at least 1, have them left alone: for LeastRest, and twice as long each time that they have not come back, up to
	// MostRest.
	Failures            int
	LeastRest, MostRest time.Duration
}

// rest is how long they are left alone who were so before, so many times in a row.
func (l Limits) rest(before int) time.Duration {
	if before > 16 {
		return l.MostRest
	}
	return min(l.LeastRest<<before, l.MostRest)
}

// Breaker has three states: closed, where requests pass; open, after failures in a row, where none does; and half open, when the rest is
// over, where one is let through to find out. The zero value is closed. It has no lock: its user has one.
type Breaker struct {
	// failures in a row, and how often there was a rest since the last success.
	failures, rests int
	// until is when the rest is over. Zero: it is closed.
	until time.Time
	// probing says that one request finds out whether they are back.
	probing bool
}

// Resting reports whether it is not closed.
func (b *Breaker) Resting() bool { return !b.until.IsZero() }

// Wait says how long none may pass, and whether one may now. Where none may and the wait is zero, somebody finds out just now. A rest that
// is longer than there is one is of a clock that was set back.
func (b *Breaker) Wait(limits Limits, now time.Time) (time.Duration, bool) {
	switch rest := b.until.Sub(now); {
	case !b.Resting():
		return 0, true
	case rest > 0 && rest <= limits.MostRest:
		return rest, false
	default:
		return 0, !b.probing
	}
}

// Pass notes that a request is let through. Whoever passes must call Succeed, Fail or Abstain.
func (b *Breaker) Pass() { b.probing = b.Resting() }

// Succeed closes it.
func (b *Breaker) Succeed() { *b = Breaker{} }

// Fail counts a failure.
func (b *Breaker) Fail(limits Limits, now time.Time) {
	b.probing = false
	b.failures++
	if b.Resting() && now.Before(b.until) {
		return // it was under way when the others failed
	}
	if b.failures >= limits.Failures {
		b.until = now.Add(limits.rest(b.rests))
		b.rests++
	}
}

// Abstain says that nothing was found out.
func (b *Breaker) Abstain() { b.probing = false }
