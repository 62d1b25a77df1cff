// SPDX-License-Identifier: Apache-2.0

// The search knows no second goroutine, and the race detector makes minutes of its seconds.
//go:build !race

package pki_test

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/pki"
)

// model is a cluster over the years. Within these bounds every client accepts what every replica serves:
//
//   - the manager's clock is less than two weeks off, either way, for as long as it likes, and those of clients are right;
//   - the manager is away for at most a week, and dies before, between and after its writes, to be started again on the same day;
//   - a replica serves what was stored up to a day ago, a client trusts what the manager told up to an hour ago;
//   - either Secret is deleted or damaged, the second not while the first is still being got over.
type model struct {
	t      *testing.T
	random *mathrand.Rand

	now    time.Time     // the true time
	offset time.Duration // of the manager's clock

	authority, serving map[string][]byte
	names              []string
	served, told       []version

	// seen is what the manager that runs has seen published, and since when.
	seen  string
	since time.Time
	// spared is until when nothing is deleted.
	spared time.Time

	story  []string
	counts map[string]int
	// lasting says that no authority is deleted, so that one lives to its end.
	lasting bool
}

// version is what was stored, or told, at a time.
type version struct {
	at   time.Time
	text []byte
}

func (m *model) fail(format string, arguments ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\n%s", fmt.Sprintf(format, arguments...), strings.Join(m.story[max(0, len(m.story)-40):], "\n"))
}

func (m *model) tell(format string, arguments ...any) {
	m.story = append(m.story, fmt.Sprintf("%8.1f days, clock %+.1f  ", m.now.Sub(noon).Hours()/24, m.offset.Hours()/24)+fmt.Sprintf(format, arguments...))
}

func (m *model) between(least, most time.Duration) time.Duration {
	return least + time.Duration(m.random.Int64N(int64(most-least+1)))
}

// look is the manager's. It may die before either of its two writes, or before it has told clients.
func (m *model) look() {
	m.t.Helper()
	if bundle := string(m.serving["ca.crt"]); bundle != m.seen {
		m.seen, m.since = bundle, m.now
	}
	observed := pki.Observed{Names: m.names, Known: m.now.Sub(m.since), Now: m.now.Add(m.offset)}
	if m.authority != nil {
		authorities, err := pki.DecodeAuthorities(m.authority)
		if err != nil {
			m.fail("%v", err)
		}
		observed.Authorities = &authorities
	}
	if serving, err := pki.DecodeServing(m.serving); err == nil {
		observed.Serving = &serving
	}
	plan, err := pki.MakePlan(rand.Reader, observed)
	if err != nil {
		m.fail("%v", err)
	}
	m.count(plan)
	authority, serving := encoded(m.t, plan.Authorities), encoded(m.t, plan.Serving)
	changed := !sameData(authority, m.authority) || !sameData(serving, m.serving)
	dies := 3
	if changed {
		dies = m.random.IntN(6) // 0: before the first write, 1: between the two, 2: before it tells
	}
	if dies > 0 {
		m.authority = authority
	}
	if dies > 1 && !sameData(serving, m.serving) {
		m.serving = serving
		m.served = append(m.served, version{m.now, serving["tls.crt"]})
	}
	if dies > 2 {
		m.told = append(m.told, version{m.now, m.serving["ca.crt"]})
		return
	}
	m.tell("dies at %d", dies)
	m.counts["deaths"]++
	m.seen = "" // the next one has seen nothing
}

func (m *model) count(plan pki.Plan) {
	if plan.Issued != "" {
		m.counts[string(plan.Issued)]++
		m.tell("issued: %s, from %v", plan.Issued, plan.Serving.Certificate().Issuer.CommonName)
	}
	for _, authority := range plan.Made {
		m.counts["made"]++
		m.tell("made %s", authority.Subject.CommonName)
	}
	if plan.Promoted != nil {
		m.counts["promoted"]++
		m.tell("promoted %s", plan.Promoted.Subject.CommonName)
	}
	for _, authority := range plan.Retired {
		m.counts["retired"]++
		m.tell("retired %s", authority.Subject.CommonName)
	}
}

// disturb does what may happen, seldom.
func (m *model) disturb() {
	switch kind := m.random.IntN(60); {
	case kind == 0:
		m.offset = m.between(-14*day+time.Minute, 14*day-time.Minute)
		m.tell("the clock")
	case kind == 1:
		m.names = slices.Concat(names, []string{fmt.Sprintf("n%d.example.com", m.random.IntN(5))})
		m.tell("the names")
	case kind == 2:
		m.seen = ""
		m.tell("another manager")
	case m.now.Before(m.spared) || m.random.IntN(2) > 0:
	case kind == 3 && !m.lasting:
		m.authority = nil
		m.tell("the authority is deleted")
		m.counts["authority deleted"]++
		m.spared = m.now.Add(70 * day)
	case kind == 4:
		m.serving = nil
		m.tell("the certificate is deleted")
		m.counts["certificate deleted"]++
	case kind == 5:
		m.serving["tls.key"] = m.serving["tls.key"][:len(m.serving["tls.key"])/2]
		m.tell("the certificate is damaged")
		m.counts["certificate damaged"]++
	}
}

// expectService: every client accepts every replica.
func (m *model) expectService() {
	m.t.Helper()
	m.served, m.told = since(m.served, m.now.Add(-day)), since(m.told, m.now.Add(-59*time.Minute))
	for _, served := range m.served {
		for _, told := range m.told {
			m.counts["accepted"]++
			if err := accepts(told.text, served.text, names[0], m.now); err != nil {
				m.fail("a client refuses: %v", err)
			}
		}
	}
}

// since drops what nobody has any more: all but what was there at a time, and came after it.
func since(versions []version, at time.Time) []version {
	for len(versions) > 1 && !versions[1].at.After(at) {
		versions = versions[1:]
	}
	return versions
}

func TestYearsOfService(t *testing.T) {
	total := map[string]int{}
	for seed, years := range []int{2, 2, 13} {
		m := &model{t: t, random: mathrand.New(mathrand.NewPCG(uint64(seed), 4)), now: noon, names: names, counts: total, lasting: years > 10}
		m.spared = noon.Add(day)
		for len(m.told) == 0 {
			m.look()
		}
		for end := noon.Add(time.Duration(years) * 365 * day); m.now.Before(end); {
			m.disturb()
			m.look()
			m.expectService()
			away := 7 * day
			if m.seen == "" { // it has died, and another is started
				away = 6 * time.Hour
			}
			m.now = m.now.Add(m.between(time.Hour, away))
			m.expectService()
		}
	}
	t.Log(total)
	for _, what := range []string{
		"deaths", "made", "promoted", "retired", "authority deleted", "certificate deleted", "certificate damaged",
		string(pki.CauseRenewal), string(pki.CauseNames), string(pki.CauseAuthority), string(pki.CauseMissing),
	} {
		if total[what] == 0 {
			t.Errorf("this never happened, so the test proves nothing about it: %s", what)
		}
	}
}
