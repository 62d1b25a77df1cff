// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/oauth"
)

// Revocations bounds how many RevokedTokens a client has written. What it remembers is bounded by MaxBytes.
type Revocations struct {
	now      func() time.Time
	hash     hasher
	client   buckets
	refusals *prometheus.CounterVec
}

// NewRevocations makes full budgets. refusals has the label "budget".
func NewRevocations(budget Budget, now func() time.Time, refusals *prometheus.CounterVec) *Revocations {
	return &Revocations{now: now, hash: newHasher(), client: buckets{budget: budget}, refusals: refusals}
}

// Spend takes one from a client's budget. It fails with temporarily_unavailable where it is spent.
func (r *Revocations) Spend(clientID string) error {
	wait := r.client.spend(r.hash.client(clientID), r.now())
	if wait == 0 {
		return nil
	}
	r.refusals.WithLabelValues(budgetRevocation).Inc()
	return oauth.TemporarilyUnavailable(wait, "too many revocations; the token is not revoked", "over the budget: "+budgetRevocation)
}
