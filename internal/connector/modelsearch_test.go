// SPDX-License-Identifier: Apache-2.0

// The search knows no second goroutine, and the race detector makes minutes of its seconds.
//go:build !race

package connector_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
)

// deep has more go wrong at once: minutes instead of seconds.
var deep = flag.Bool("deep", false, "search the model deeper")

func depth() []limits {
	if *deep {
		return []limits{{deaths: 2, passes: 2}, {deaths: 1, losses: 1, unsent: 1, passes: 2}}
	}
	return []limits{{unsent: 1, passes: 2}, {deaths: 1, passes: 2}, {losses: 1, passes: 2}}
}

// TestEveryOrderOfEvents searches the model.
func TestEveryOrderOfEvents(t *testing.T) {
	for _, provider := range providers() {
		for _, limits := range depth() {
			t.Run(fmt.Sprintf("a provider that %s, %+v", provider.name, limits), func(t *testing.T) {
				t.Parallel()
				m := &model{provider: provider, limits: limits, next: connector.Next}
				m.search()
				if m.broken != "" {
					t.Error(m.broken)
				}
				t.Logf("%d states", len(m.seen))
			})
		}
	}
}

// mistake is one that a protocol of this kind is known for.
type mistake struct {
	name     string
	breaks   promise
	provider providerKind
	limits   limits
	next     func(connector.Moment) connector.Action
}

func mistakes() []mistake {
	none, single, strict, forgiving := providers()[0], providers()[2], providers()[3], providers()[5]
	return []mistake{
		{"whoever was held up sends all the same", grantLives, strict, limits{passes: 2}, heldUpSends},
		{"an intent of somebody else is taken over at once", grantLives, strict, limits{}, takesOverAtOnce},
		{"an intent of somebody else is taken over at once, and it is forgiven", presentedOnce, forgiving, limits{}, takesOverAtOnce},
		{"tokens in hand are dropped where the attempt was taken over", tokenIsKept, single, limits{passes: 2}, dropsWhatWasTakenOver},
		{"tokens in hand are dropped where somebody has found the grant dead", noneForgotten, single, limits{passes: 2}, dropsWhatIsCalledDead},
		{"a token that may have been used is given up", notCalledDead, none, limits{losses: 1, passes: 2}, givesUp},
		{"a token that may have been used is given up, where it goes on working", nothingToLose, none, limits{losses: 1, passes: 2}, givesUp},
		{"a refusal is written down of a token that has been replaced", notCalledDead, single, limits{passes: 2}, refusesWhatWasReplaced},
		{"an attempt goes on that nobody remembers", comesToAnEnd, strict, limits{deaths: 1, passes: 2}, leavesOrphans},
	}
}

func heldUpSends(m connector.Moment) connector.Action {
	if !m.Memory.Acknowledged.IsZero() {
		m.Memory.Acknowledged = m.Now
	}
	return connector.Next(m)
}

func takesOverAtOnce(m connector.Moment) connector.Action {
	if intent := m.Record.Intent; intent != nil && m.Memory.Attempt == "" {
		m.Memory.Watched, m.Memory.Since = intent.Attempt, m.Now.Add(-time.Hour)
		m.Behaviour.Rotation = v1alpha1.RotationUnknown
	}
	return connector.Next(m)
}

func dropsWhatWasTakenOver(m connector.Moment) connector.Action {
	if m.Memory.Answer != nil && (m.Record.Intent == nil || m.Record.Intent.Attempt != m.Memory.Attempt) {
		m.Memory = connector.Memory{}
	}
	return connector.Next(m)
}

func dropsWhatIsCalledDead(m connector.Moment) connector.Action {
	if m.Memory.Answer != nil && m.Record.Reauthorize != nil {
		m.Memory = connector.Memory{}
	}
	return connector.Next(m)
}

func givesUp(m connector.Moment) connector.Action {
	if m.Memory.Answer != nil && m.Memory.Answer.Outcome == connector.Unclear {
		m.Memory.Answer = &connector.Answer{Outcome: connector.GrantRefused}
	}
	return connector.Next(m)
}

func refusesWhatWasReplaced(m connector.Moment) connector.Action {
	if answer := m.Memory.Answer; answer != nil && answer.Outcome == connector.GrantRefused {
		m.Memory.Generation = m.Record.Generation
		m.Record.Intent = &connector.Intent{Attempt: m.Memory.Attempt}
	}
	return connector.Next(m)
}

func leavesOrphans(m connector.Moment) connector.Action {
	if m.Record.Intent != nil && m.Memory.Attempt == "" {
		return connector.Action{Deed: connector.Wait}
	}
	return connector.Next(m)
}

// TestTheModelFindsMistakes: each breaks the promise that it is said to, and each promise is broken by one, so none of them is empty.
func TestTheModelFindsMistakes(t *testing.T) {
	unbroken := []promise{presentedOnce, grantLives, notCalledDead, tokenIsKept, nothingToLose, noneForgotten, comesToAnEnd}
	for _, row := range mistakes() {
		unbroken = slices.DeleteFunc(unbroken, func(p promise) bool { return p == row.breaks })
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := &model{provider: row.provider, limits: row.limits, next: row.next, only: row.breaks}
			m.search()
			if m.broken == "" {
				t.Errorf("not found in %d states", len(m.seen))
			}
			t.Log(m.broken)
		})
	}
	if len(unbroken) > 0 {
		t.Errorf("no mistake breaks these: %q", unbroken)
	}
}
