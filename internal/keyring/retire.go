// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"slices"
	"time"
)

// confirmed reports whether what is so now was so an hour ago, and notes it where it is new.
func (d *draft) confirmed(note *time.Time, isSo bool) bool {
	defer func() { d.due(*note) }()
	switch limit := d.now.Add(confirmation); {
	case !isSo:
		*note = time.Time{}
	case note.IsZero() || note.After(limit): // further ahead: the clock that it was noted by was
		*note = limit
	default:
		return !note.After(d.now)
	}
	return false
}

// reset brings back what is so far ahead that only a clock that was ahead can have put it there, lest the next rotation be
// forgotten until then. The key that signs, because there is no other, begins now; one that waits does after a Lead.
func (d *draft) reset() {
	signer := signing(d.keys, d.now)
	for i := range slices.Backward(d.keys) {
		key := &d.keys[i]
		furthest, signFrom := d.Interval+d.Lead, d.now.Add(d.Lead)
		if i == signer {
			furthest, signFrom = d.Lead, d.now
		}
		if !d.confirmed(&key.ResetAfter, key.SignFrom.After(d.now.Add(furthest))) {
			d.due(key.SignFrom.Add(-furthest))
			continue
		}
		if i+1 < len(d.keys) {
			signFrom = latest(signFrom, d.keys[i+1].SignFrom.Add(time.Second)) // in the order in which they were
		}
		key.SignFrom, key.ResetAfter = signFrom, time.Time{}
	}
}

// raise notes a bound of lifetimes that has grown with the keys that may sign under it. It is never lowered: their tokens are
// about.
func (d *draft) raise() {
	for i := range d.keys {
		if i > 0 && !d.now.Before(d.silence(i)) {
			return
		}
		if d.keys[i].tokenLifetime() < d.MaxTokenLifetime {
			d.keys[i].MaxTokenLifetime = d.MaxTokenLifetime
		}
	}
}

// retire removes the keys whose tokens have all expired, the oldest first: a key between two others marks when the older one
// ceased to sign.
func (d *draft) retire() {
	var end time.Time
	for i := range slices.Backward(d.keys) {
		if i > 0 {
			end = latest(end, d.silence(i).Add(d.keys[i].tokenLifetime()))
			d.due(end)
		}
		expired := d.confirmed(&d.keys[i].RemoveAfter, i > 0 && !d.now.Before(end))
		if expired && len(d.plan.Expired) == len(d.keys)-1-i {
			d.plan.Expired = append(d.plan.Expired, d.keys[i])
		}
	}
	d.keys = d.keys[:len(d.keys)-len(d.plan.Expired)]
}
