// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/oauth"
)

// Writes bounds how many objects a client has had written. What it remembers is bounded by MaxBytes.
type Writes struct {
	now      func() time.Time
	hash     hasher
	client   buckets
	refusals *prometheus.CounterVec
	// budget is its name, and refusal what a client is told.
	budget, refusal string
}

// NewRevocations makes full budgets of RevokedTokens. refusals has the label "budget".
func NewRevocations(budget Budget, now func() time.Time, refusals *prometheus.CounterVec) *Writes {
	return newWrites(budget, now, refusals, [2]string{budgetRevocation, "too many revocations; the token is not revoked"})
}

// NewSignInTokens makes full budgets of sign-in tokens.
func NewSignInTokens(budget Budget, now func() time.Time, refusals *prometheus.CounterVec) *Writes {
	return newWrites(budget, now, refusals, [2]string{budgetSignInToken, "too many sign-in tokens; take fewer, or wait"})
}

func newWrites(budget Budget, now func() time.Time, refusals *prometheus.CounterVec, texts [2]string) *Writes {
	return &Writes{now: now, hash: newHasher(), client: buckets{budget: budget}, refusals: refusals, budget: texts[0], refusal: texts[1]}
}

// Spend takes one from a client's budget. It fails with temporarily_unavailable where it is spent.
func (w *Writes) Spend(clientID string) error {
	wait := w.client.spend(w.hash.client(clientID), w.now())
	if wait == 0 {
		return nil
	}
	w.refusals.WithLabelValues(w.budget).Inc()
	return oauth.TemporarilyUnavailable(wait, w.refusal, "over the budget: "+w.budget)
}
