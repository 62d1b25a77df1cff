// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"io"
	"slices"
	"time"
)

// Schedule says when keys come and go.
type Schedule struct {
	// Interval is how long a key signs. It is at least two Leads.
	Interval time.Duration
	// Lead is how long a key is published before it signs, so that everybody knows it by then. It is also how long a process
	// that nothing reaches may go on signing with the key before.
	Lead time.Duration
	// MaxTokenLifetime bounds the lifetime of every token.
	MaxTokenLifetime time.Duration
	// Algorithm is that of keys to come, one of Algorithms. Where the newest key is for another, it is given a successor once it
	// signs: so there is never more than one key that waits, whatever becomes of this choice.
	Algorithm string
}

// MaxKeys bounds the keys of a document, whatever is asked for. With more, the Secret could outgrow what the API server takes,
// and nothing could be changed any more.
const MaxKeys = 256

// Peak gives about how many keys there are at a time, where nobody asks for any.
func (s Schedule) Peak() int {
	return int((s.MaxTokenLifetime+2*s.Lead+confirmation)/s.Interval) + 2
}

// confirmation is how long something must have been so before a key is removed or its SignFrom changed for it. A clock that is
// wrong for less than that, by however much, does no harm.
const confirmation = time.Hour

// maxPause bounds the time between two looks, so that a clock that was set is noticed.
const maxPause = time.Hour

// Request is what somebody asks for.
type Request struct {
	// Rotation asks for a new key where it is neither empty nor the value that was granted last.
	Rotation string
	// Remove has the IDs of keys that must go at once, for they are compromised. Those that are unknown have gone.
	Remove []string
}

// Reason says why another key comes to sign.
type Reason string

// Reasons of rotations.
const (
	ReasonSchedule Reason = "Schedule"
	ReasonRequest  Reason = "Request"
	ReasonRemoval  Reason = "Removal"
	// ReasonAlgorithm: keys are to be for another algorithm.
	ReasonAlgorithm Reason = "Algorithm"
)

// Plan is what to do.
type Plan struct {
	// Document is what shall be stored. Changed reports whether it is another than what is.
	Document Document
	Changed  bool
	// Added are keys that are new, Expired those whose last token has expired, and Removed those that were to go at once.
	Added, Expired, Removed []Key
	// Rotations has the reason of each rotation that the plan brings.
	Rotations []Reason
	// Full reports that a rotation is due and there are too many keys.
	Full bool
	// Next is when to look again.
	Next time.Time
}

// Plan says what becomes of a document. It depends on nothing else, so that a manager can die at any time and another go on.
func (s Schedule) Plan(random io.Reader, current Document, request Request, now time.Time) (Plan, error) {
	before := newestFirst(current.Keys)
	d := &draft{Schedule: s, random: random, now: now.UTC().Truncate(time.Second), keys: slices.Clone(before), rotation: current.Rotation}
	d.plan.Next = d.now.Add(maxPause)
	if err := d.remove(request.Remove); err != nil {
		return Plan{}, err
	}
	d.reset()
	if err := d.rotate(request.Rotation); err != nil {
		return Plan{}, err
	}
	d.raise()
	d.retire()
	d.plan.Document = Document{Keys: d.keys, Rotation: d.rotation}
	d.plan.Changed = d.rotation != current.Rotation || !slices.EqualFunc(before, d.keys, isSame)
	return d.plan, nil
}

func isSame(a, b Key) bool {
	return a.ID == b.ID && a.MaxTokenLifetime == b.MaxTokenLifetime &&
		a.SignFrom.Equal(b.SignFrom) && a.RemoveAfter.Equal(b.RemoveAfter) && a.ResetAfter.Equal(b.ResetAfter)
}

// draft is a plan in the making. Its keys are newest first, always: the successor of each is the one before it.
type draft struct {
	Schedule
	random   io.Reader
	now      time.Time // whole seconds, as they are stored
	keys     []Key
	rotation string
	plan     Plan
}

// rotationDue is when a successor of the newest key must be published.
func (d *draft) rotationDue() time.Time {
	newest := d.keys[0]
	if newest.Algorithm != d.Algorithm {
		return newest.SignFrom
	}
	return newest.SignFrom.Add(d.Interval - d.Lead)
}

// silence is when no process signs with the key any more: a Lead after its successor began.
func (d *draft) silence(i int) time.Time { return d.keys[i-1].SignFrom.Add(d.Lead) }

// due notes that something is to be done then. What is due by now has been done, or cannot be.
func (d *draft) due(at time.Time) {
	if at.After(d.now) && at.Before(d.plan.Next) {
		d.plan.Next = at
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
