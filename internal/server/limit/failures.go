// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claviger/claviger/internal/oauth"
)

// provenFor is how long a source that has authenticated as a client is known for it: longer than tokens live by default, so that
// a client which comes back for its next token is known still.
const provenFor = 30 * 24 * time.Hour

// provenAgain is how much of that time must have gone before it is noted anew, so that a client that takes many tokens writes
// nothing.
const provenAgain = time.Hour

// FailureBudgets are those of failed client authentications.
type FailureBudgets struct {
	// Pair is that of one source for one client ID.
	Pair Budget
	// Source is that of one source for all client IDs: who tries one secret on many clients.
	Source Budget
	// Client is that of one client ID from all sources: who guesses from many addresses.
	Client Budget
}

// Failures bounds failed client authentications. Those that succeed cost nothing. A source that has authenticated as a client
// lately is held to its own budget for that client alone, so nobody keeps a client out by guessing at its name from elsewhere,
// or by guessing at other names from an address that they share.
//
// Whether a client exists does not matter to any answer: made-up client IDs have budgets too. What it remembers is bounded by
// four times MaxBytes, however many sources and client IDs there are.
type Failures struct {
	now                  func() time.Time
	hash                 hasher
	pair, source, client buckets
	proven               table[time.Time]
	refusals             *prometheus.CounterVec
}

// NewFailures makes full budgets. refusals has the label "budget".
func NewFailures(budgets FailureBudgets, now func() time.Time, refusals *prometheus.CounterVec) *Failures {
	return &Failures{
		now: now, hash: newHasher(), refusals: refusals,
		pair: buckets{budget: budgets.Pair}, source: buckets{budget: budgets.Source}, client: buckets{budget: budgets.Client},
	}
}

// Admit says whether a source may try to authenticate as a client: it fails with temporarily_unavailable where a budget is
// spent. clientIDs are all that the request may be read to name; mostly there is one.
func (f *Failures) Admit(address netip.Addr, clientIDs ...string) error {
	now, source := f.now(), network(address)
	if len(clientIDs) == 0 {
		if wait := f.source.wait(f.hash.source(source), now); wait > 0 {
			return f.refuse(refusal{budgetSource, wait})
		}
	}
	for _, clientID := range clientIDs {
		if refusal := f.look(source, clientID, now); refusal.wait > 0 && (refusal.budget == budgetPair || !f.isProven(source, clientID, now)) {
			return f.refuse(refusal)
		}
	}
	return nil
}

// Failed spends. Its error, where there is one, is the answer that the source gets instead of what went wrong: the one that it
// would have got without having been known for the client. So a neighbour behind the same address cannot tell which client it
// is known for.
func (f *Failures) Failed(address netip.Addr, clientIDs ...string) error {
	now, source := f.now(), network(address)
	var refused refusal
	for _, clientID := range clientIDs {
		if refusal := f.look(source, clientID, now); refusal.wait > refused.wait {
			refused = refusal
		}
		f.pair.spend(f.hash.pair(source, clientID), now)
		f.client.spend(f.hash.client(clientID), now)
	}
	f.source.spend(f.hash.source(source), now)
	if refused.wait > 0 {
		return f.refuse(refused)
	}
	return nil
}

// Succeeded notes that a source has authenticated as a client.
func (f *Failures) Succeeded(address netip.Addr, clientID string) {
	now := f.now()
	key := f.hash.pair(network(address), clientID)
	s := f.proven.lock(key)
	defer s.unlock()
	at, found, recent := s.load(key)
	if age := now.Sub(at); found && recent && age >= 0 && age < provenAgain {
		return
	}
	s.store(key, now)
}

// isProven reports whether the source has authenticated as the client lately. A time that has yet to come was noted by a clock
// that was ahead, and counts.
func (f *Failures) isProven(source netip.Prefix, clientID string, now time.Time) bool {
	key := f.hash.pair(source, clientID)
	s := f.proven.lock(key)
	defer s.unlock()
	at, found, _ := s.load(key)
	return found && now.Sub(at) < provenFor
}

// Names of budgets, as metrics and the audit log have them.
const (
	budgetPair        = "source_and_client"
	budgetSource      = "source"
	budgetClient      = "client"
	budgetRevocation  = "revocation"
	budgetSignInToken = "sign_in_token"
)

// refusal is the budget that is spent, and how long until it is not; the zero value is none.
type refusal struct {
	budget string
	wait   time.Duration
}

// look finds the budget that keeps a source from trying a client ID for longest. That of the pair comes first: nothing exempts
// from it.
func (f *Failures) look(source netip.Prefix, clientID string, now time.Time) refusal {
	if wait := f.pair.wait(f.hash.pair(source, clientID), now); wait > 0 {
		return refusal{budgetPair, wait}
	}
	longest := refusal{budgetSource, f.source.wait(f.hash.source(source), now)}
	if wait := f.client.wait(f.hash.client(clientID), now); wait > longest.wait {
		longest = refusal{budgetClient, wait}
	}
	return longest
}

func (f *Failures) refuse(r refusal) error {
	f.refusals.WithLabelValues(r.budget).Inc()
	return oauth.TemporarilyUnavailable(r.wait, "too many failed client authentications", "over the failure budget: "+r.budget)
}
