// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A token is refreshed at two thirds of its life, less up to a tenth of it, by which a thousand that were made at once spread out.
const (
	refreshAt     = 2.0 / 3
	refreshSpread = 0.1
)

// Due gives when the tokens are to be refreshed: at about two thirds of the access token's life, of the refresh token's, and of the
// time after which a refresh token is dead that was not used; and refreshBeforeExpiry before the access token's end. The first of
// them that is known. Zero: nothing asks for it. spread is from 0 to 1, always the same for one grant.
func Due(record Record, behaviour Behaviour, spread float64) time.Time {
	if !record.Connected() {
		return record.IssuedAt // at once
	}
	var due time.Time
	sooner := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	part := func(life time.Duration) time.Time {
		return record.IssuedAt.Add(time.Duration(float64(life) * (refreshAt - refreshSpread*spread)))
	}
	if !record.ExpiresAt.IsZero() {
		sooner(part(record.ExpiresAt.Sub(record.IssuedAt)))
		if behaviour.RefreshBeforeExpiry > 0 {
			sooner(record.ExpiresAt.Add(-behaviour.RefreshBeforeExpiry))
		}
	}
	if behaviour.Repeatable {
		return due
	}
	if !record.RefreshExpiresAt.IsZero() {
		sooner(part(record.RefreshExpiresAt.Sub(record.IssuedAt)))
	}
	if behaviour.IdleExpiry > 0 {
		sooner(part(behaviour.IdleExpiry))
	}
	return due
}

// Ends gives when the grant ends whatever is done, and a user must sign in again. Zero: nobody knows of an end.
func Ends(record Record, behaviour Behaviour) time.Time {
	if behaviour.Repeatable || behaviour.AbsoluteExpiry == 0 || record.AuthorizedAt.IsZero() {
		return time.Time{}
	}
	return record.AuthorizedAt.Add(behaviour.AbsoluteExpiry)
}

// Spread gives a number from 0 to 1 for a UID, always the same. Names and UIDs differ in a few characters at their end, so it takes a
// hash of which every bit changes with them.
func Spread(uid string) float64 {
	sum := sha256.Sum256([]byte(uid))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
