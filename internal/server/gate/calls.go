// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/server/audit"
)

// callKey is the key of a *call in the context of its request.
type callKey struct{}

// call is one that was let through and is under way.
type call struct {
	bearer string
	// accounts are those that the caller says the call concerns.
	accounts []string
	access   issuer.Access
	origin   audit.Origin
	// body is nil where there is none, or where HTTP/2 keeps it apart from other requests.
	body *body
	// end cancels the call's request, with the reason.
	end context.CancelCauseFunc
	// streams is set once the answer has begun and has no end in sight.
	streams atomic.Bool
	// ended is set once it was ended before its time.
	ended atomic.Bool

	confirmed atomic.Int64
}

// confirm notes that the token was good at that time.
func (c *call) confirm(at time.Time) { c.confirmed.Store(at.UnixNano()) }

// unconfirmed is how long nobody has known whether the token is good.
func (c *call) unconfirmed(now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - c.confirmed.Load())
}

// callOf gives the call of a request that needed a token, or nil.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// calls are those under way. Adding and removing one takes no lock that others wait for.
type calls struct {
	open    sync.Map // *call -> nil
	count   atomic.Int64
	streams atomic.Int64
}

func (s *calls) add(c *call) {
	s.open.Store(c, nil)
	s.count.Add(1)
}

func (s *calls) remove(c *call) {
	s.open.Delete(c)
	s.count.Add(-1)
	if c.streams.Load() {
		s.streams.Add(-1)
	}
}

// stream notes that a call's answer is a stream.
func (s *calls) stream(c *call) {
	if !c.streams.Swap(true) {
		s.streams.Add(1)
	}
}

// each calls a function with every call under way.
func (s *calls) each(do func(*call)) {
	s.open.Range(func(c, _ any) bool {
		do(c.(*call))
		return true
	})
}
