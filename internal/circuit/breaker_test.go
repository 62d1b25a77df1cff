// SPDX-License-Identifier: Apache-2.0

package circuit_test

import (
	"testing"
	"time"

	"github.com/claviger/claviger/internal/circuit"
)

var limits = circuit.Limits{Failures: 2, LeastRest: 10 * time.Second, MostRest: 30 * time.Second}

func TestBreaker(t *testing.T) {
	const second = time.Second
	type state struct {
		rest time.Duration
		may  bool
	}
	fail := func(times int) func(*circuit.Breaker, time.Time) {
		return func(b *circuit.Breaker, now time.Time) {
			for range times {
				b.Pass()
				b.Fail(limits, now)
			}
		}
	}
	for _, row := range []struct {
		name string
		do   func(*circuit.Breaker, time.Time)
		// after is when it is looked at.
		after time.Duration
		want  state
	}{
		{"nothing has happened", func(*circuit.Breaker, time.Time) {}, 0, state{0, true}},
		{"fewer failures than it takes", fail(1), 0, state{0, true}},
		{"as many as it takes", fail(2), 0, state{10 * second, false}},
		{"more, which were under way then, make it no longer", fail(5), 0, state{10 * second, false}},
		{"a part of the rest is over", fail(2), 4 * second, state{6 * second, false}},
		{"the rest is over", fail(2), 10 * second, state{0, true}},
		{"the clock was set back", fail(2), -time.Hour, state{0, true}},
		{"somebody finds out", func(b *circuit.Breaker, now time.Time) { fail(2)(b, now); b.Pass() }, 10 * second, state{0, false}},
		{"and has found nothing out", func(b *circuit.Breaker, now time.Time) { fail(2)(b, now); b.Pass(); b.Abstain() }, 10 * second, state{0, true}},
		{"a success in between", func(b *circuit.Breaker, now time.Time) { fail(1)(b, now); b.Succeed(); fail(1)(b, now) }, 0, state{0, true}},
		{"it is not back: twice as long", func(b *circuit.Breaker, now time.Time) { fail(2)(b, now.Add(-10*second)); fail(1)(b, now) }, 0, state{20 * second, false}},
		{"and no longer than that", func(b *circuit.Breaker, now time.Time) {
			fail(2)(b, now.Add(-3*time.Minute))
			fail(1)(b, now.Add(-2*time.Minute))
			fail(1)(b, now.Add(-time.Minute))
			fail(1)(b, now)
		}, 0, state{30 * second, false}},
	} {
		t.Run(row.name, func(t *testing.T) {
			now, b := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC), &circuit.Breaker{}
			row.do(b, now)
			if rest, may := b.Wait(limits, now.Add(row.after)); (state{rest, may}) != row.want {
				t.Errorf("got %v, %v", rest, may)
			}
		})
	}
}
