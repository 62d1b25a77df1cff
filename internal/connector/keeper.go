// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrConflict says that a record was not written, because it has changed since it was read.
var ErrConflict = errors.New("the record has changed since it was read")

// ErrGone says that there is no record any more: the connection was deleted.
var ErrGone = errors.New("the record is gone")

// Version names one state of a record in its store.
type Version string

// Store keeps records.
type Store interface {
	// Read reads the record of a grant from where it is written, and not from a cache. It fails with ErrGone.
	Read(ctx context.Context, grant string) (Record, Version, error)
	// Write writes the record in place of that of a version, and gives the version that it has then. It fails with ErrConflict or
	// ErrGone. After any other error nobody knows whether it was written.
	Write(ctx context.Context, grant string, record Record, over Version) (Version, error)
}

// Grant is one that is kept alive, as it is configured now.
type Grant struct {
	// Name is unique, and the same for as long as the connection exists.
	Name      string
	Behaviour Behaviour
	// Client and Configuration are those of Moment.
	Client, Configuration string
	// Refresh sends one token request that presents what the record has, and says what came of it. It takes RequestTimeout at most,
	// and goes on when its context ends: whoever has sent a request must have its answer.
	Refresh func(context.Context, Record) Answer
	// Enter says whether the provider may be asked now, before anything is written: how to leave again, with the answer, or with nil where
	// it was not asked after all; or how long to wait. Nil: it always may.
	Enter func() (leave func(*Answer), wait time.Duration)
	// Revoke tells the provider that nobody has tokens any more which it has just given. Best effort.
	Revoke func(context.Context, Tokens)
}

// Standing is what there is to say of a grant.
type Standing struct {
	// Record is the one that there is now.
	Record Record
	// Until is when to look again. Zero: not before something changes.
	Until time.Time
	// OutcomeUnknown and ClientChanged are those of Action.
	OutcomeUnknown, ClientChanged bool
	// Held says that a refresh is due, and that the provider is not asked now: it does not answer, or too many ask it at once.
	Held bool
	// Refreshed says that new tokens were written down just now.
	Refreshed bool
	// Failure is the last answer that brought no tokens, and Failures how many there were in a row. Nil where there is none.
	Failure  *Answer
	Failures int
}

// Keeper keeps grants alive, as Next says. Its memory is lost with the process, and nothing else is.
type Keeper struct {
	Store Store
	// Self names this replica: the same after a restart, and no other's.
	Self string
	// NewAttempt gives a name that nobody has used.
	NewAttempt func() string
	Now        func() time.Time

	memories sync.Map // name of the grant -> *memory
}

// memory is what is remembered of one grant. The lock keeps two looks at it apart.
type memory struct {
	sync.Mutex
	Memory
	failure *Answer
}

// mostSteps bounds one look. No path through Next is longer, unless others change the record all the time.
const mostSteps = 32

// commitWithin is how long the API server is waited for to write down what has come of a request. A pod's grace period must cover
// this and RequestTimeout.
const commitWithin = time.Minute

// errBusy says that others change the record all the time.
var errBusy = errors.New("the record changes all the time")

// Keep does what is to be done about a grant, until there is nothing left to do but wait. It fails where the store does, and is then
// to be called again soon: tokens that are not written down yet are remembered.
func (k *Keeper) Keep(ctx context.Context, grant Grant) (Standing, error) {
	found, _ := k.memories.LoadOrStore(grant.Name, &memory{})
	remembered := found.(*memory)
	remembered.Lock()
	defer remembered.Unlock()
	look := &look{keeper: k, grant: grant, remembered: remembered}
	defer look.exit(nil)
	for range mostSteps {
		done, err := look.step(ctx)
		if errors.Is(err, ErrGone) {
			look.gone(ctx)
		}
		if err != nil || done {
			return look.standing, err
		}
		if remembered.Answer != nil && ctx.Err() == nil {
			// What has come of a request is written down also where the process is to end.
			detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
			defer cancel()
			ctx = detached
		}
	}
	return look.standing, errBusy
}

// Forget drops what is remembered of a grant that is gone for good.
func (k *Keeper) Forget(name string) { k.memories.Delete(name) }

// look is one call of Keep.
type look struct {
	keeper     *Keeper
	grant      Grant
	remembered *memory
	standing   Standing

	// acknowledged is the record as this look wrote it: an intent is not read again before the request is sent.
	acknowledged bool
	record       Record
	version      Version
	// leave is there while the provider may be asked.
	leave func(*Answer)
}

// step makes one decision and carries it out. It reports whether there is nothing left to do.
func (l *look) step(ctx context.Context) (bool, error) {
	if !l.acknowledged {
		var err error
		if l.record, l.version, err = l.keeper.Store.Read(ctx, l.grant.Name); err != nil {
			return false, fmt.Errorf("reading a record: %w", err)
		}
	}
	l.acknowledged = false
	action := Next(Moment{
		Record: l.record, Behaviour: l.grant.Behaviour, Client: l.grant.Client, Configuration: l.grant.Configuration,
		Memory: l.remembered.Memory, Self: l.keeper.Self, Attempt: l.keeper.NewAttempt(), Spread: Spread(l.grant.Name), Now: l.keeper.Now(),
	})
	if action.begins() && !l.enter() {
		return true, nil // and what is remembered is as before: the decision is made anew when it may be
	}
	l.remembered.Memory = action.Memory
	switch action.Deed {
	case Write:
		return false, l.write(ctx, action)
	case Send:
		l.send(ctx)
		return false, nil
	default:
		l.rest(action)
		return true, nil
	}
}

// write writes a record, and remembers what follows from it where that is acknowledged.
func (l *look) write(ctx context.Context, action Action) error {
	version, err := l.keeper.Store.Write(ctx, l.grant.Name, action.Record, l.version)
	if errors.Is(err, ErrConflict) {
		return nil // somebody else was faster; the next step sees what they wrote
	}
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	if action.Record.Generation > l.record.Generation {
		l.standing.Refreshed, l.remembered.failure = true, nil
	}
	l.remembered.Memory = action.Written
	l.record, l.version, l.acknowledged = action.Record, version, true
	return nil
}

// begins reports whether the action is to write an intent.
func (a Action) begins() bool { return a.Deed == Write && !a.Written.Acknowledged.IsZero() }

// enter asks whether the provider may be asked. Where it may not, nothing is left to do but wait: for a while that differs from grant to
// grant, so that not all come back at once.
func (l *look) enter() bool {
	if l.grant.Enter == nil || l.leave != nil {
		return true
	}
	leave, wait := l.grant.Enter()
	if wait <= 0 {
		l.leave = leave
		return true
	}
	wait += time.Duration(float64(wait) * Spread(l.grant.Name) / 2)
	l.rest(Action{Until: l.keeper.Now().Add(wait), OutcomeUnknown: l.record.Intent != nil})
	l.standing.Held = true
	return false
}

// exit says how it went with the provider.
func (l *look) exit(answer *Answer) {
	if l.leave != nil {
		l.leave(answer)
		l.leave = nil
	}
}

// send sends the request. Whatever happens to the caller meanwhile, its answer is remembered.
func (l *look) send(ctx context.Context) {
	answer := l.grant.Refresh(ctx, l.record)
	l.exit(&answer)
	l.remembered.Answer, l.remembered.Answered = &answer, l.keeper.Now()
	if answer.Outcome != Granted {
		l.remembered.failure = &answer
	}
}

// gone tells the provider of tokens that nobody will ever have: the connection was deleted while they were on their way.
func (l *look) gone(ctx context.Context) {
	if answer := l.remembered.Answer; answer != nil && answer.Outcome == Granted && l.grant.Revoke != nil {
		l.grant.Revoke(ctx, answer.Tokens)
	}
	l.remembered.Memory = Memory{}
}

func (l *look) rest(action Action) {
	l.standing.Record, l.standing.Until = l.record, action.Until
	l.standing.OutcomeUnknown, l.standing.ClientChanged = action.OutcomeUnknown, action.ClientChanged
	l.standing.Failure, l.standing.Failures = l.remembered.failure, l.remembered.Failures
}
