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

// leastRefresh is between two refreshes at least, whatever a provider says of the life of its tokens: with 0.001 seconds it would
// be asked without end.
const leastRefresh = 10 * time.Second

// Due gives when the tokens are to be refreshed: at about two thirds of the access token's life, of the refresh token's, and of the
// time after which a refresh token is dead that was not used; and refreshBeforeExpiry before the access token's end, but not before
// half its life. The first of them that is known, and at least leastRefresh after the last refresh. Zero: nothing asks for it.
// spread is from 0 to 1, always the same for one grant.
func Due(record Record, behaviour Behaviour, spread float64) time.Time {
	due := wanted(record, behaviour, spread)
	if floor := earliest(record); !due.IsZero() && due.Before(floor) {
		return floor
	}
	return due
}

// earliest gives when the tokens may be refreshed at the earliest. An import of what had expired before may be so at once.
func earliest(record Record) time.Time {
	if !record.Connected() || !record.ExpiresAt.IsZero() && !record.ExpiresAt.After(record.IssuedAt) {
		return record.IssuedAt
	}
	return record.IssuedAt.Add(leastRefresh)
}

func wanted(record Record, behaviour Behaviour, spread float64) time.Time {
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
		life := record.ExpiresAt.Sub(record.IssuedAt)
		sooner(part(life))
		if behaviour.RefreshBeforeExpiry > 0 {
			sooner(record.ExpiresAt.Add(-min(behaviour.RefreshBeforeExpiry, life/2)))
		}
	}
	if behaviour.Repeatable {
		return due
	}
	// For the sake of a refresh token only where being used renews it: one that ends at a fixed time would be used ever more often.
	if left := record.RefreshExpiresAt.Sub(record.IssuedAt); !record.RefreshExpiresAt.IsZero() && left >= record.RefreshLife/2 {
		sooner(part(left))
	}
	if behaviour.IdleExpiry > 0 {
		sooner(part(behaviour.IdleExpiry))
	}
	return due
}

// A user is asked to sign in again this long before a grant ends, and where its whole life is short a quarter of that. A refresh token
// that is renewed by being used is used before: see refreshAt.
const (
	mostWarning    = 7 * 24 * time.Hour
	warningDivisor = 4
)

// End is when a grant ends unless a user signs in again.
type End struct {
	// At is when. Zero: nobody knows of an end.
	At time.Time
	// WarnAt is from when on it is worth a warning: what could be done about it by refreshing has been done by then.
	WarnAt time.Time
}

// Ends gives the end of a grant that comes first: that of the refresh token as the provider has said it last, or that which the
// Connector knows of, whatever is done.
func Ends(record Record, behaviour Behaviour) End {
	if behaviour.Repeatable {
		return End{}
	}
	var end End
	sooner := func(at time.Time, life time.Duration) {
		if end.At.IsZero() || at.Before(end.At) {
			end = End{At: at, WarnAt: at.Add(-min(mostWarning, life/warningDivisor))}
		}
	}
	if !record.RefreshExpiresAt.IsZero() {
		sooner(record.RefreshExpiresAt, record.RefreshLife)
	}
	if behaviour.AbsoluteExpiry > 0 && !record.AuthorizedAt.IsZero() {
		sooner(record.AuthorizedAt.Add(behaviour.AbsoluteExpiry), behaviour.AbsoluteExpiry)
	}
	return end
}

// Spread gives a number from 0 to 1 for a UID, always the same. Names and UIDs differ in a few characters at their end, so it takes a
// hash of which every bit changes with them.
func Spread(uid string) float64 {
	sum := sha256.Sum256([]byte(uid))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
