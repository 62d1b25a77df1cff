// SPDX-License-Identifier: Apache-2.0

package introspection

import (
	"errors"
	"sync"
	"time"
)

// How long an issuer that failed is left alone: twice as long after each failure in a row.
const (
	minRest = 500 * time.Millisecond
	maxRest = 10 * time.Second
)

var errResting = errors.New("the issuer has just failed, and is left alone for a moment")

// circuit keeps questions from an issuer that is away. After a failure nobody asks for a while; then one may try, and the others
// when that has succeeded. The zero value lets all through.
type circuit struct {
	mutex    sync.Mutex
	failures int
	until    time.Time
	trying   bool
}

// enter says whether to ask now. Whoever enters must leave.
func (c *circuit) enter(now time.Time) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case c.failures == 0:
		return nil
	case now.Before(c.until) && c.until.Sub(now) <= maxRest: // longer: the clock was set back
		return errResting
	case c.trying:
		return errResting
	}
	c.trying = true
	return nil
}

// leave tells how it went.
func (c *circuit) leave(now time.Time, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.trying = false
	if err == nil {
		c.failures = 0
		return
	}
	rest := minRest
	for range min(c.failures, 10) {
		rest *= 2
	}
	c.failures++
	c.until = now.Add(min(rest, maxRest))
}
