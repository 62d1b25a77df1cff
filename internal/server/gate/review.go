// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/audit"
	"github.com/claviger/claviger/internal/server/oauthapi"
)

// reviewers judge calls at the same time, for a verdict may be a call to the issuer.
const reviewers = 16

// expiredGrace is how long a call whose answer is no stream may go on after its token has expired: it was let through with a
// token that was good, and cutting it short would only have it tried again. A revocation or suspension ends it at once.
const expiredGrace = time.Minute

// Why calls are ended; the values of a metric's label.
const (
	endedExpired     = "expired"
	endedRefused     = "refused"
	endedUnconfirmed = "unconfirmed"
	endedShutdown    = "shutdown"
)

// endedError is why a call was ended, where there is a verdict to tell.
type endedError struct{ verdict }

func (e *endedError) Error() string { return "ended: " + e.err.Error() }

// errShutdown: the gate itself stops.
var errShutdown = errors.New("ended: the gate is stopping")

// Review judges every call under way once more at each tick, and ends those whose token is no longer good, until the context
// ends.
func (g *Gate) Review(ctx context.Context, tick <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
			g.review(ctx)
		}
	}
}

func (g *Gate) review(ctx context.Context) {
	var group errgroup.Group
	group.SetLimit(reviewers)
	g.calls.each(func(c *call) {
		group.Go(func() error {
			g.reviewCall(ctx, c)
			return nil
		})
	})
	_ = group.Wait() // no reviewer fails
}

func (g *Gate) reviewCall(ctx context.Context, c *call) {
	if c.ended.Load() {
		return
	}
	now := g.Now()
	expired := !now.Before(c.access.ExpiresAt)
	if expired && !c.streams.Load() && now.Before(c.access.ExpiresAt.Add(expiredGrace)) {
		return
	}
	need, err := g.needOf(c)
	if err == nil {
		_, err = g.Judge.Authorize(ctx, c.bearer, need)
	}
	reason := endedRefused
	switch {
	case err == nil:
		c.confirm(now)
		return
	case ctx.Err() != nil:
		return
	case expired:
		reason = endedExpired
	case errors.Is(err, oauth.ServerError(nil)):
		if c.unconfirmed(now) < g.Patience {
			return
		}
		reason = endedUnconfirmed
	}
	g.end(c, verdict{access: c.access, need: need, err: err}, reason)
}

// end ends a call that was let through.
func (g *Gate) end(c *call, v verdict, reason string) {
	if c.ended.Swap(true) {
		return // it takes a moment to go
	}
	g.Metrics.ended.WithLabelValues(reason).Inc()
	g.Audit.Write(c.origin, audit.AccessEnded(oauthapi.Denied(v.access, v.need, v.err)))
	c.end(&endedError{v})
}

// EndAll ends every call under way, because the gate stops.
func (g *Gate) EndAll() {
	g.calls.each(func(c *call) {
		if !c.ended.Swap(true) {
			g.Metrics.ended.WithLabelValues(endedShutdown).Inc()
			c.end(errShutdown)
		}
	})
}

// Open counts the calls under way.
func (g *Gate) Open() int64 { return g.calls.count.Load() }
