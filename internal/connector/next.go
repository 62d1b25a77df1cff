// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Times of the protocol.
const (
	// SendWithin is how long after its intent was acknowledged a request may still be sent. Whoever was held up for longer does not
	// know what happened meanwhile.
	SendWithin = 2 * time.Second
	// RequestTimeout bounds a request to a provider.
	RequestTimeout = 20 * time.Second
	// attemptDeadline is how long an attempt of somebody else may take before it is taken for orphaned: to be sent, to be answered,
	// and to be written down, by an API server that comes back.
	attemptDeadline = SendWithin + RequestTimeout + time.Minute
	// resendMargin is how long before the end of an access token a refresh token is presented again that may have been used, to a
	// provider that would end the grant and the access token with it.
	resendMargin = 30 * time.Second
)

// Back-off of requests that changed nothing, or of which nobody knows whether they did.
const (
	leastBackoff = 5 * time.Second
	mostBackoff  = 15 * time.Minute
)

// Moment is all that a decision is made from.
type Moment struct {
	// Record is what was read from the API server itself, not from a cache.
	Record    Record
	Behaviour Behaviour
	// Client names the client that is configured now, and Configuration that together with the endpoints and parameters.
	Client, Configuration string
	// Memory is what this process remembers of the grant.
	Memory Memory
	// Self names this replica: the same after a restart.
	Self string
	// Attempt is what a new attempt would be called. Nobody has used it before.
	Attempt string
	// Spread is that of the grant; see Due.
	Spread float64
	Now    time.Time
}

// Memory is what a process remembers of a grant between two looks at it. All of it is lost when it dies. Its times are compared with
// those of the same process alone, so they may have a monotonic clock.
type Memory struct {
	// Attempt is the one of this process, from before its intent is written until its outcome is.
	Attempt string
	// Generation is that of the record that the attempt was made for.
	Generation int64
	// Acknowledged is when the API server had acknowledged the intent. Zero: it is not known to have done so.
	Acknowledged time.Time
	// Answer is what came of the request. Nil while there is none.
	Answer *Answer
	// Answered is when it came.
	Answered time.Time

	// Watched is the attempt of somebody else that is in the record, and Since when this process has seen it there.
	Watched string
	Since   time.Time

	// NotBefore is when the next request may be made, after Failures of them in a row.
	NotBefore time.Time
	Failures  int
}

// Deed is what to do next.
type Deed int

const (
	// Wait until something changes, or until Action.Until.
	Wait Deed = iota + 1
	// Write Action.Record, under the version of the record that the Moment had. Whatever comes of it, look again.
	Write
	// Send the request, once, and look again with its Answer in the Memory.
	Send
)

// Action is a decision.
type Action struct {
	Deed Deed
	// Until is when to look again. Zero: nothing is due until something changes.
	Until time.Time
	// Record is what to write.
	Record Record
	// Memory is what to remember from now on, and Written what to remember once the API server has acknowledged the write.
	Memory, Written Memory
	// OutcomeUnknown says that the refresh token may have been used, and that nobody knows what became of it.
	OutcomeUnknown bool
	// ClientChanged says that the grant is another client's than the one that is configured now, so that it is not presented: the
	// provider would say that it is dead.
	ClientChanged bool
}

// Next says what is to be done about a grant. It is the whole of the protocol: whoever follows it, whatever happens to others who do,
// presents no refresh token twice unless somebody has failed, and declares no grant dead that is alive.
func Next(m Moment) Action {
	switch {
	case m.Memory.Answer != nil:
		return m.conclude()
	case m.Memory.Attempt != "":
		return m.present()
	case m.Record.Intent != nil:
		return m.watch()
	default:
		return m.idle()
	}
}

// ours reports whether the record is still the one that the attempt of this process is written in.
func (m Moment) ours() bool {
	return m.Record.Generation == m.Memory.Generation && m.Record.Intent != nil && m.Record.Intent.Attempt == m.Memory.Attempt
}

// conclude writes down what an attempt has come to.
func (m Moment) conclude() Action {
	answer := *m.Memory.Answer
	if answer.Outcome == Granted {
		// A successor in hand beats any verdict that somebody else has come to. Only a later generation is worth more: it was
		// obtained with ours, or by a user.
		if m.Record.Generation != m.Memory.Generation {
			return m.forget()
		}
		return m.write(m.Record.commit(answer.Tokens, m.Behaviour, m.Client, m.Memory.Answered), Memory{})
	}
	if !m.ours() {
		return m.forget() // another attempt has the last word
	}
	switch answer.Outcome {
	case GrantRefused:
		if m.Behaviour.Repeatable {
			return m.write(m.Record.misconfigure(answer.Code, m.Configuration, m.Now), Memory{})
		}
		return m.write(m.Record.refuse(answer.Code, m.Now), Memory{})
	case ClientRefused:
		return m.write(m.Record.misconfigure(answer.Code, m.Configuration, m.Now), Memory{})
	case NotSent, Busy:
		return m.unsent(m.later(answer.RetryAfter))
	default:
		return m.recover(m.later(answer.RetryAfter))
	}
}

// present sends the request of an intent that is acknowledged.
func (m Moment) present() Action {
	if !m.ours() {
		return m.forget()
	}
	if m.Memory.Acknowledged.IsZero() || m.Now.Sub(m.Memory.Acknowledged) > SendWithin {
		return m.unsent(m.pause())
	}
	return Action{Deed: Send, Memory: m.Memory}
}

// unsent ends an attempt that has presented nothing. What an attempt before it may have presented stays presented.
func (m Moment) unsent(memory Memory) Action {
	if m.Record.Intent.Recoveries > 0 {
		return m.recover(memory)
	}
	return m.write(m.Record.abandon(), memory)
}

// watch looks at an intent that this process knows nothing of.
func (m Moment) watch() Action {
	intent := m.Record.Intent
	memory := m.pause()
	if intent.Holder == m.Self {
		return m.recover(memory) // of before a restart: nobody is at it any more
	}
	if m.Memory.Watched != intent.Attempt {
		memory.Watched, memory.Since = intent.Attempt, m.Now
		return Action{Deed: Wait, Until: m.Now.Add(attemptDeadline), Memory: memory}
	}
	memory.Watched, memory.Since = m.Memory.Watched, m.Memory.Since
	if until := memory.Since.Add(attemptDeadline); m.Now.Before(until) {
		return Action{Deed: Wait, Until: until, Memory: memory}
	}
	return m.recover(memory)
}

// recover presents a refresh token again that may have been used: at once where that can do no harm that is not done, and else when
// there is nothing left to lose.
func (m Moment) recover(memory Memory) Action {
	at, known := m.resendAt()
	if memory.NotBefore.After(at) {
		at = memory.NotBefore
	}
	if !known {
		return Action{Deed: Wait, Memory: memory, OutcomeUnknown: true}
	}
	if m.Now.Before(at) {
		return Action{Deed: Wait, Until: at, Memory: memory, OutcomeUnknown: true}
	}
	return m.begin(m.Record.takeOver(m.Attempt, m.Self), memory)
}

// resendAt gives when a refresh token may be presented again, and false where that is for a human to decide: the access token lives
// as long as anybody knows, and the question would kill it.
func (m Moment) resendAt() (time.Time, bool) {
	intent := m.Record.Intent
	switch {
	case m.Behaviour.Repeatable, !m.Record.Connected():
		return time.Time{}, true
	case m.Behaviour.Rotation == v1alpha1.RotationNone, m.Behaviour.Rotation == v1alpha1.RotationUnknown:
		return time.Time{}, true
	case m.Behaviour.Rotation == v1alpha1.RotationGrace && m.Now.Before(intent.StartedAt.Add(m.Behaviour.ReuseGrace)):
		return time.Time{}, true
	case m.Record.ExpiresAt.IsZero():
		return time.Time{}, false
	default:
		return m.Record.ExpiresAt.Add(-resendMargin), true
	}
}

// idle begins a refresh that is due.
func (m Moment) idle() Action {
	memory := m.pause()
	if !m.refreshable() {
		return Action{Deed: Wait, Memory: memory}
	}
	due := Due(m.Record, m.Behaviour, m.Spread)
	if m.Record.Connected() && m.Record.ClientFingerprint != m.Client {
		if !m.Behaviour.Repeatable {
			return Action{Deed: Wait, Memory: memory, ClientChanged: true}
		}
		due = earliest(m.Record) // it takes a token of its own at once
	}
	if due.IsZero() && m.Record.Connected() {
		return Action{Deed: Wait, Memory: memory}
	}
	if memory.NotBefore.After(due) {
		due = memory.NotBefore
	}
	if m.Now.Before(due) {
		return Action{Deed: Wait, Until: due, Memory: memory}
	}
	return m.begin(m.Record.begin(m.Attempt, m.Self, m.Now), memory)
}

// refreshable reports whether there is anything to be presented, and anybody to take it.
func (m Moment) refreshable() bool {
	switch {
	case m.Record.Reauthorize != nil:
		return false
	case m.Record.Misconfigured != nil && m.Record.Misconfigured.Configuration == m.Configuration:
		return false
	default:
		return m.Behaviour.Repeatable || m.Record.RefreshToken.Reveal() != ""
	}
}

// begin writes an intent. The attempt is remembered before it is written: where nobody knows whether it was, it is known as one
// that has sent nothing.
func (m Moment) begin(record Record, memory Memory) Action {
	attempt := Memory{Attempt: m.Attempt, Generation: record.Generation, NotBefore: memory.NotBefore, Failures: memory.Failures}
	written := attempt
	written.Acknowledged = m.Now
	return Action{Deed: Write, Record: record, Memory: attempt, Written: written}
}

// write writes down what an attempt has come to, and remembers the attempt until that is acknowledged.
func (m Moment) write(record Record, then Memory) Action {
	return Action{Deed: Write, Record: record, Memory: m.Memory, Written: then}
}

// forget gives up an attempt, and decides anew.
func (m Moment) forget() Action {
	m.Memory = m.pause()
	return Next(m)
}

// pause keeps nothing of a memory but when the next request may be made.
func (m Moment) pause() Memory {
	return Memory{NotBefore: m.Memory.NotBefore, Failures: m.Memory.Failures}
}

// later remembers a failure: the next request waits, the longer the more there were, and as long as the provider asks for.
func (m Moment) later(asked time.Duration) Memory {
	backoff := mostBackoff
	if m.Memory.Failures < 16 {
		backoff = min(leastBackoff<<m.Memory.Failures, mostBackoff)
	}
	backoff -= time.Duration(float64(backoff) * m.Spread / 2)
	return Memory{NotBefore: m.Now.Add(max(backoff, min(asked, mostBackoff))), Failures: m.Memory.Failures + 1}
}
