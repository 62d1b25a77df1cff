// SPDX-License-Identifier: Apache-2.0

package harness

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
