// SPDX-License-Identifier: Apache-2.0

// Package clock tells a time that a test moves.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock is one that a test moves. It starts at the machine's time, because the API server stamps objects with that.
type Clock struct{ offset atomic.Int64 }

// Now tells the time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// Advance moves the clock, back too.
func (c *Clock) Advance(by time.Duration) { c.offset.Add(int64(by)) }

// Offset is how far the clock is ahead of the machine's, and Set sets that: two processes have one clock by it.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Set sets the Offset.
func (c *Clock) Set(offset time.Duration) { c.offset.Store(int64(offset)) }
