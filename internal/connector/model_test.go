// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

// The model is a record, two replicas that follow Next, and a provider. From its first state every order of events is tried in which
// at most so many replicas die and so many answers are lost, and in every state that can come of it the promises are checked. Time
// passes whenever it likes, so that each replica is also one that was paused, anywhere, and resumes.
type model struct {
	provider providerKind
	limits   limits
	// next is what replicas follow.
	next func(connector.Moment) connector.Action
	seen map[string]bool
	// only is the one promise that is looked at. Empty: all of them.
	only promise
	// broken is the first promise that was not kept, with the events that led there.
	broken string
}

// promise is what holds in every state.
type promise string

const (
	presentedOnce promise = "no refresh token is presented twice where nobody has failed"
	grantLives    promise = "no grant ends where nobody has failed"
	notCalledDead promise = "no user is asked to sign in again while the refresh token is good"
	tokenIsKept   promise = "no refresh token is lost where nobody has died"
	nothingToLose promise = "nothing is lost with a provider that does not rotate"
	noneForgotten promise = "no record has a dead refresh token while somebody who lives has had a live one"
	comesToAnEnd  promise = "somebody comes to an end of it"
)

// limits bound how much goes wrong, and how often time passes: the states would have no end.
type limits struct{ deaths, losses, unsent, passes int }

// providerKind is how a provider really behaves, and what the Connector says of it.
type providerKind struct {
	name     string
	rotation v1alpha1.RefreshRotation
	// rotates: a refresh token is replaced when it is used. revokes: using it again ends the grant. forgives: for a while it gives the
	// same answer again.
	rotates, revokes, forgives bool
}

func (p providerKind) behaviour() connector.Behaviour {
	return connector.Behaviour{Rotation: p.rotation, ReuseGrace: grace}
}

const (
	lifetime = 10 * time.Minute
	grace    = 30 * time.Second
)

// state is all that there is at one moment. It is copied for every event.
type state struct {
	now      time.Duration
	record   connector.Record
	version  int
	attempts int

	// live is the refresh token that the provider takes, of those that it has given, and usedAt when the one before was used.
	live   int
	usedAt time.Duration
	ended  bool // the grant
	// accepted has the tokens that were presented and taken.
	accepted []int

	replicas [2]replica
	limits   // what has happened of each
	paused   bool
	story    []string
}

type replica struct {
	memory connector.Memory
	// acknowledged is the record as it wrote its intent: it does not read it again before it sends.
	acknowledged *connector.Record
	// write is what it is about to write, under the version that it read.
	write   *connector.Action
	version int
	// token is the refresh token that it is about to send. answer is on its way to it.
	token  string
	answer *connector.Answer
	// had is the newest refresh token that it was given.
	had string
}

func (r replica) busy() bool {
	return r.write != nil || r.token != "" || r.answer != nil || r.memory.Attempt != ""
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func refreshToken(i int) oauth.Secret { return oauth.NewSecret(fmt.Sprintf("r%d", i)) }

func first() state {
	record := connector.Record{
		Generation: 1, AccessToken: oauth.NewSecret("a0"), RefreshToken: refreshToken(0),
		IssuedAt: epoch, ExpiresAt: epoch.Add(lifetime), ClientFingerprint: "client",
	}
	return state{record: record, now: 7 * time.Minute}
}

func (s state) clone() state {
	s.accepted, s.story = slices.Clone(s.accepted), slices.Clone(s.story)
	return s
}

func (s state) time() time.Time { return epoch.Add(s.now) }

// look has a replica read the record and decide.
func (m *model) look(s *state, i int) connector.Action {
	r := &s.replicas[i]
	record := s.record
	if r.acknowledged != nil {
		record, r.acknowledged = *r.acknowledged, nil
	} else {
		r.version = s.version
	}
	action := m.next(connector.Moment{
		Record: record, Behaviour: m.provider.behaviour(), Client: "client", Configuration: "configuration",
		Memory: r.memory, Self: fmt.Sprintf("replica-%d", i), Attempt: fmt.Sprintf("attempt-%d", s.attempts), Now: s.time(),
	})
	r.memory = action.Memory
	switch action.Deed {
	case connector.Write:
		r.write = &action
		if action.Memory.Attempt == fmt.Sprintf("attempt-%d", s.attempts) {
			s.attempts++
		}
	case connector.Send:
		r.token = record.RefreshToken.Reveal()
	case connector.Wait:
	}
	return action
}

// put has a replica's write arrive.
func (s *state) put(i int) {
	r := &s.replicas[i]
	if r.version == s.version {
		s.record, s.version = r.write.Record, s.version+1
		r.memory, r.version = r.write.Written, s.version
		if r.memory.Attempt != "" {
			r.acknowledged = &r.write.Record
		}
	}
	r.write = nil
}

// present has a request arrive at the provider.
func (m *model) present(s *state, i int) connector.Answer {
	var token int
	_, _ = fmt.Sscanf(s.replicas[i].token, "r%d", &token)
	refused := connector.Answer{Outcome: connector.GrantRefused, Code: "invalid_grant"}
	granted := func() connector.Answer {
		answer := connector.Answer{Outcome: connector.Granted, Tokens: connector.Tokens{Access: oauth.NewSecret("a"), Lifetime: lifetime}}
		if m.provider.rotates {
			answer.Tokens.Refresh = refreshToken(s.live)
		}
		return answer
	}
	switch {
	case s.ended:
		return refused
	case !m.provider.rotates:
		s.accepted = append(s.accepted, token)
		return granted()
	case token == s.live:
		s.accepted = append(s.accepted, token)
		s.live, s.usedAt = s.live+1, s.now
		return granted()
	case m.provider.forgives && token == s.live-1 && s.now-s.usedAt < grace:
		s.accepted = append(s.accepted, token)
		return granted()
	default:
		s.ended = m.provider.revokes
		return refused
	}
}

// events gives all that may happen next.
func (m *model) events(s state) []state {
	var next []state
	happen := func(what string, change func(*state)) {
		after := s.clone()
		change(&after)
		after.story = append(after.story, fmt.Sprintf("%s %s", s.now, what))
		next = append(next, after)
	}
	for i, r := range s.replicas {
		switch {
		case r.write != nil:
			happen(fmt.Sprintf("%d writes", i), func(s *state) { s.put(i) })
		case r.token != "":
			m.sends(s, i, happen)
		case r.answer != nil:
			happen(fmt.Sprintf("%d is answered %d", i, r.answer.Outcome), func(s *state) {
				s.replicas[i].take(s.time())
			})
		default:
			happen(fmt.Sprintf("%d looks", i), func(s *state) { m.look(s, i) })
		}
		if s.deaths < m.limits.deaths && r.busy() {
			happen(fmt.Sprintf("%d dies", i), func(s *state) { s.replicas[i] = replica{}; s.deaths++ })
		}
	}
	if s.passes < m.limits.passes {
		for _, step := range []time.Duration{connector.SendWithin + time.Second, 90 * time.Second} {
			happen("time passes", func(s *state) { s.pass(step) })
		}
	}
	return next
}

// sends has a request arrive or not, and its answer come back or not.
func (m *model) sends(s state, i int, happen func(string, func(*state))) {
	sent := func(s *state, answer connector.Answer) {
		s.replicas[i].token, s.replicas[i].answer = "", &answer
	}
	happen(fmt.Sprintf("%d sends", i), func(s *state) { sent(s, m.present(s, i)) })
	if s.unsent < m.limits.unsent {
		happen(fmt.Sprintf("%d cannot send", i), func(s *state) {
			sent(s, connector.Answer{Outcome: connector.NotSent})
			s.unsent++
		})
	}
	if s.losses < m.limits.losses {
		happen(fmt.Sprintf("%d sends, and the answer is lost", i), func(s *state) {
			m.present(s, i)
			sent(s, connector.Answer{Outcome: connector.Unclear})
			s.losses++
		})
		happen(fmt.Sprintf("%d sends, and it is lost", i), func(s *state) {
			sent(s, connector.Answer{Outcome: connector.Unclear})
			s.losses++
		})
	}
}

// pass lets time pass. A replica that has decided to send, or has sent, or has tokens in hand, and does not go on for longer than an
// attempt may take, was paused in the one place where that does harm.
func (s *state) pass(step time.Duration) {
	s.now += step
	s.passes++
	for _, r := range s.replicas {
		s.paused = s.paused || step > time.Minute && (r.token != "" || r.answer != nil || r.memory.Answer != nil)
	}
}

// check holds a state to the promises.
func (m *model) check(s state) {
	faultless := s.deaths == 0 && s.losses == 0 && !s.paused
	if m.provider.rotates && faultless {
		for i, token := range s.accepted {
			m.hold(!slices.Contains(s.accepted[:i], token), presentedOnce, s)
		}
		m.hold(!s.ended, grantLives, s)
	}
	if s.inHand() {
		return
	}
	alive := m.alive(s)
	m.hold(s.record.Reauthorize == nil || !alive, notCalledDead, s)
	m.hold(alive || !faultless && (s.deaths > 0 || s.losses > 0 || m.provider.revokes), tokenIsKept, s)
	m.hold(m.provider.rotates || alive && s.record.Reauthorize == nil, nothingToLose, s)
	m.hold(alive || !slices.ContainsFunc(s.replicas[:], func(r replica) bool { return r.had != "" && m.takes(s, r.had) }), noneForgotten, s)
}

// inHand reports whether somebody has tokens that are not written down yet.
func (s state) inHand() bool {
	return slices.ContainsFunc(s.replicas[:], func(r replica) bool {
		granted := func(a *connector.Answer) bool { return a != nil && a.Outcome == connector.Granted }
		return granted(r.answer) || granted(r.memory.Answer)
	})
}

// alive reports whether the provider would take the refresh token of the record.
func (m *model) alive(s state) bool { return m.takes(s, s.record.RefreshToken.Reveal()) }

// takes reports whether it would take that one.
func (m *model) takes(s state, token string) bool {
	return !s.ended && (!m.provider.rotates || token == refreshToken(s.live).Reveal() ||
		m.provider.forgives && token == refreshToken(s.live-1).Reveal() && s.now-s.usedAt < grace)
}

// settle lets both replicas go on without any more failures. It must end with new tokens, or with a grant that has ended.
func (m *model) settle(s state) {
	s = s.clone()
	for range 60 {
		for i := range s.replicas {
			for range 8 {
				m.step(&s, i)
			}
		}
		if s.record.Intent == nil && !s.inHand() && (s.record.Generation > 1 && m.alive(s) || s.record.Reauthorize != nil && !m.alive(s)) {
			return
		}
		s.now += 30 * time.Second
	}
	m.hold(false, comesToAnEnd, s)
}

func (m *model) step(s *state, i int) {
	r := &s.replicas[i]
	switch {
	case r.write != nil:
		s.put(i)
	case r.token != "":
		answer := m.present(s, i)
		r.token, r.answer = "", &answer
	case r.answer != nil:
		r.take(s.time())
	default:
		m.look(s, i)
	}
}

// take has a replica get the answer that is on its way.
func (r *replica) take(now time.Time) {
	if token := r.answer.Tokens.Refresh.Reveal(); token != "" {
		r.had = token
	}
	r.memory.Answer, r.memory.Answered, r.answer = r.answer, now, nil
}

// search looks at every state, and stops where a promise is broken.
func (m *model) search() {
	m.seen = map[string]bool{}
	queue := []state{first()}
	for len(queue) > 0 && m.broken == "" {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, after := range m.events(s) {
			if key := after.key(); !m.seen[key] {
				m.seen[key] = true
				m.check(after)
				m.settle(after)
				if after.record.Generation < 3 {
					queue = append(queue, after)
				}
			}
		}
	}
}

// hold notes the first promise that is not kept.
func (m *model) hold(kept bool, promised promise, s state) {
	if !kept && m.broken == "" && (m.only == "" || m.only == promised) {
		m.broken = fmt.Sprintf("it does not hold that %s\n%s\nlive r%d, ended %v, accepted %v", promised, strings.Join(s.story, "\n"), s.live, s.ended, s.accepted)
	}
}

func providers() []providerKind {
	return []providerKind{
		{name: "does not rotate", rotation: v1alpha1.RotationNone},
		{name: "does not rotate, and does not say so", rotation: v1alpha1.RotationUnknown},
		{name: "takes each once", rotation: v1alpha1.RotationUnknown, rotates: true},
		{name: "ends the grant, and says so", rotation: v1alpha1.RotationStrict, rotates: true, revokes: true},
		{name: "ends the grant, and does not say so", rotation: v1alpha1.RotationUnknown, rotates: true, revokes: true},
		{name: "forgives for a while", rotation: v1alpha1.RotationGrace, rotates: true, revokes: true, forgives: true},
	}
}
