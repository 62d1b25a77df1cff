// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"net/http"
	"sync"
	"time"
)

// serverClock notes the time that the API server writes into its answers (Date, RFC 9110 section 6.6.1).
type serverClock struct {
	mu     sync.Mutex
	latest time.Time
}

// wrap notes the Date of every answer.
func (c *serverClock) wrap(next http.RoundTripper) http.RoundTripper {
	return &dated{clock: c, next: next}
}

// later gives the later of a time and what the API server said last.
func (c *serverClock) later(now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest.After(now) {
		return c.latest
	}
	return now
}

type dated struct {
	clock *serverClock
	next  http.RoundTripper
}

// RoundTrip sends a request. An answer without a Date changes nothing.
func (d *dated) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := d.next.RoundTrip(request)
	if err != nil {
		return nil, err //nolint:wrapcheck // the client's own
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		d.clock.mu.Lock()
		d.clock.latest = date
		d.clock.mu.Unlock()
	}
	return response, nil
}
