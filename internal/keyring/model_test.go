// SPDX-License-Identifier: Apache-2.0

// The search knows no second goroutine, and the race detector makes minutes of its seconds.
//go:build !race

package keyring_test

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

// model is a cluster: one document, a manager that looks at it now and then, and replicas of the token service that learn of
// it later. Within these bounds no token may be refused:
//
//   - the manager's clock is less than an hour off for as long as it likes, and off by years for less than an hour at a time;
//   - clocks of replicas are half a minute off;
//   - a replica learns of a change no later than lag.
type model struct {
	t        *testing.T
	random   *mathrand.Rand
	schedule keyring.Schedule

	now     time.Time     // the true time
	offset  time.Duration // of the manager's clock
	request keyring.Request

	document keyring.Document
	history  []version
	replicas [3]replica

	// live has for each key the last time at which a token that it signed expires.
	live map[string]time.Time
	// compromised are the keys that were removed at once, rushed those that came to sign for it, and until when they may be
	// unknown to a replica.
	compromised map[string]bool
	rushed      map[string]time.Time
	story       []string
	counts      map[string]int
}

// version is the document as it was written at a time. Its ring is made when somebody needs it.
type version struct {
	at   time.Time
	keys []keyring.Key
	ring *keyring.Ring
}

func (m *model) ring(i int) *keyring.Ring {
	m.t.Helper()
	v := &m.history[i]
	if v.ring == nil {
		ring, err := keyring.NewRing(v.keys...)
		if err != nil {
			m.fail("%v", err)
		}
		v.ring = ring
	}
	return v.ring
}

type replica struct {
	known int // of the history
	skew  time.Duration
}

const (
	skew   = 30 * time.Second
	offset = 59 * time.Minute
)

// lag is a Lead, less what the clocks may be off.
func (m *model) lag() time.Duration { return m.schedule.Lead - offset - skew }

func (m *model) between(least, most time.Duration) time.Duration {
	return least + time.Duration(m.random.Int64N(int64(most-least+1)))
}

func (m *model) fail(format string, arguments ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\n%s", fmt.Sprintf(format, arguments...), strings.Join(m.story, "\n"))
}

func (m *model) tell(format string, arguments ...any) {
	m.story = append(m.story, fmt.Sprintf("%12s  ", m.now.Sub(noon).Truncate(time.Second))+fmt.Sprintf(format, arguments...))
}

func (m *model) managerNow() time.Time { return m.now.Add(m.offset) }

// look is the manager's, by its clock. It dies and restarts at will, for all that it knows is in the document.
func (m *model) look() {
	m.t.Helper()
	at := m.managerNow()
	plan, err := m.schedule.Plan(rand.Reader, m.document, m.request, at)
	if err != nil {
		m.fail("%v", err)
	}
	again, err := m.schedule.Plan(rand.Reader, plan.Document, m.request, at.Add(m.between(0, max(0, plan.Next.Sub(at)-1))))
	if err != nil || again.Changed {
		m.fail("a write when nothing was due")
	}
	if pause := plan.Next.Sub(at); pause <= -time.Second || pause > time.Hour {
		m.fail("the next look is in %v", pause)
	}
	if plan.Changed {
		m.write(plan)
	}
}

func (m *model) write(plan keyring.Plan) {
	m.t.Helper()
	for _, key := range plan.Added {
		m.tell("added %.4s, signs from %v", key.ID, key.SignFrom.Sub(noon))
	}
	for _, key := range plan.Expired {
		m.tell("removed %.4s", key.ID)
		m.counts["expired"]++
	}
	for _, reason := range plan.Rotations {
		m.counts[string(reason)]++
		if reason == keyring.ReasonRemoval {
			m.rush(plan)
		}
	}
	for _, key := range plan.Document.Keys {
		if !key.ResetAfter.IsZero() {
			m.counts["reset noted"]++
		}
	}
	if len(plan.Document.Keys) > m.bound() {
		m.fail("there are %d keys", len(plan.Document.Keys))
	}
	m.document = plan.Document
	if m.random.IntN(16) == 0 { // all that counts survives being stored
		m.store()
	}
	m.history = append(m.history, version{at: m.now, keys: m.document.Keys})
}

// bound is how many keys there may be at most. A key comes no sooner than a Lead after the one before, and goes no later than
// the longest pause between two looks after its time.
func (m *model) bound() int {
	kept := longestLife + m.schedule.Lead + 2*time.Hour + 2*m.longestPause()
	return int(kept/m.schedule.Lead) + 4
}

func (m *model) longestPause() time.Duration { return m.schedule.Lead + m.schedule.Interval }

func (m *model) store() {
	m.t.Helper()
	data, err := m.document.Encode()
	if err != nil {
		m.fail("%v", err)
	}
	if m.document, err = keyring.DecodeDocument(data); err != nil {
		m.fail("%v", err)
	}
}

// rush notes that a key signs that not everybody may know yet.
func (m *model) rush(plan keyring.Plan) {
	for _, key := range plan.Document.Keys {
		if !key.SignFrom.After(m.managerNow()) {
			m.rushed[key.ID] = m.now.Add(m.lag())
			return
		}
	}
}

// pass lets time pass, and every replica learn what it cannot miss any more, or also more than that.
func (m *model) pass(by time.Duration) {
	m.now = m.now.Add(by)
	for i := range m.replicas {
		r := &m.replicas[i]
		for r.known+1 < len(m.history) && (m.history[r.known+1].at.Before(m.now.Add(-m.lag())) || m.random.IntN(2) == 0) {
			r.known++
		}
	}
	m.serve()
}

// serve has every replica issue a token and verify all that are alive.
func (m *model) serve() {
	m.t.Helper()
	for _, r := range m.replicas {
		clock := m.now.Add(r.skew)
		signer := m.ring(r.known).Signer(clock.Truncate(time.Second))
		if expiry := clock.Add(m.schedule.MaxTokenLifetime); !m.compromised[signer.ID] && expiry.After(m.live[signer.ID]) {
			m.live[signer.ID] = expiry
		}
		m.counts["issued"]++
	}
	for i, r := range m.replicas {
		for id, expiry := range m.live {
			m.counts["verified"]++
			if _, known := m.ring(r.known).Lookup(id); !known && expiry.After(m.now.Add(r.skew)) && !m.now.Before(m.rushed[id]) {
				m.fail("%v: replica %d refuses a token of %.4s that is good until %v", m.now.Sub(noon), i, id, expiry.Sub(noon))
			}
			if expiry.Before(m.now.Add(-skew)) {
				delete(m.live, id)
			}
		}
	}
}
