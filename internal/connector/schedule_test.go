// SPDX-License-Identifier: Apache-2.0

package connector_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/oauth"
)

func TestDue(t *testing.T) {
	record := func(expires, refreshExpires time.Duration) connector.Record {
		r := connector.Record{AccessToken: oauth.NewSecret("a"), RefreshToken: oauth.NewSecret("r"), IssuedAt: epoch}
		if expires != 0 {
			r.ExpiresAt = epoch.Add(expires)
		}
		if refreshExpires > 0 {
			r.RefreshExpiresAt = epoch.Add(refreshExpires)
		}
		return r
	}
	for _, row := range []struct {
		name      string
		record    connector.Record
		behaviour connector.Behaviour
		spread    float64
		want      time.Duration // since epoch; less than zero: nothing is due
	}{
		{name: "at two thirds of the life of a token", record: record(time.Hour, 0), want: 40 * time.Minute},
		{name: "a tenth of it sooner at most", record: record(time.Hour, 0), spread: 1, want: 34 * time.Minute},
		{
			name: "so long before its end as the Connector says", record: record(time.Hour, 0),
			behaviour: connector.Behaviour{RefreshBeforeExpiry: 30 * time.Minute}, want: 30 * time.Minute,
		},
		{
			name: "but not later than at two thirds", record: record(time.Hour, 0),
			behaviour: connector.Behaviour{RefreshBeforeExpiry: time.Minute}, want: 40 * time.Minute,
		},
		{
			name: "but not before half its life, where the Connector asks for more than a token lives", record: record(time.Hour, 0),
			behaviour: connector.Behaviour{RefreshBeforeExpiry: 24 * time.Hour}, want: 30 * time.Minute,
		},
		{name: "ten seconds after the last refresh at the earliest, however short a token lives", record: record(time.Millisecond, 0), want: 10 * time.Second},
		{
			name:   "ten seconds after the last refresh at the earliest, however short a refresh token lives",
			record: record(time.Hour, time.Millisecond), want: 10 * time.Second,
		},
		{name: "at once, where what was imported has expired", record: record(-time.Hour, 0)},
		{name: "before the refresh token expires, where that is sooner", record: record(time.Hour, 30*time.Minute), want: 20 * time.Minute},
		{
			name: "before the refresh token is dead that nobody uses", record: record(10000*time.Hour, 0),
			behaviour: connector.Behaviour{IdleExpiry: 90 * time.Hour}, want: 60 * time.Hour,
		},
		{
			name: "not for the sake of a refresh token that ends at a fixed time",
			record: func() connector.Record {
				r := record(time.Hour, 10*time.Minute)
				r.RefreshLife = 24 * time.Hour
				return r
			}(), want: 40 * time.Minute,
		},
		{name: "never, where nothing is known of an end", record: record(0, 0), want: -1},
		{
			name: "not for the sake of a refresh token where there is none", record: record(0, 0),
			behaviour: connector.Behaviour{IdleExpiry: 90 * time.Hour, Repeatable: true}, want: -1,
		},
		{name: "at once, where there is no access token", record: connector.Record{RefreshToken: oauth.NewSecret("r"), IssuedAt: epoch}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := connector.Due(row.record, row.behaviour, row.spread)
			if row.want < 0 {
				if !got.IsZero() {
					t.Errorf("due at %s", got)
				}
				return
			}
			if late := got.Sub(epoch.Add(row.want)); late < -time.Second || late > time.Second {
				t.Errorf("due after %s, want %s", got.Sub(epoch), row.want)
			}
		})
	}
}

func TestEnds(t *testing.T) {
	const day = 24 * time.Hour
	behaviour := connector.Behaviour{AbsoluteExpiry: 90 * day}
	for _, row := range []struct {
		name      string
		record    connector.Record
		behaviour connector.Behaviour
		// at and warn are since epoch; zero: there is no end.
		at, warn time.Duration
	}{
		{name: "a grant without an end", record: connector.Record{AuthorizedAt: epoch}},
		{name: "one of client credentials", record: connector.Record{AuthorizedAt: epoch}, behaviour: connector.Behaviour{AbsoluteExpiry: day, Repeatable: true}},
		{name: "one of which nobody knows when it was given", behaviour: behaviour},
		{name: "one that ends whatever is done", record: connector.Record{AuthorizedAt: epoch}, behaviour: behaviour, at: 90 * day, warn: 83 * day},
		{
			name: "a short one, a quarter of its life before", record: connector.Record{AuthorizedAt: epoch},
			behaviour: connector.Behaviour{AbsoluteExpiry: 4 * day}, at: 4 * day, warn: 3 * day,
		},
		{
			name: "one of just as long as is warned of a week before", record: connector.Record{AuthorizedAt: epoch},
			behaviour: connector.Behaviour{AbsoluteExpiry: 28 * day}, at: 28 * day, warn: 21 * day,
		},
		{
			name: "one of a little less, a little later", record: connector.Record{AuthorizedAt: epoch},
			behaviour: connector.Behaviour{AbsoluteExpiry: 27 * day}, at: 27 * day, warn: 27 * day * 3 / 4,
		},
		{
			name: "one whose refresh token ends", record: connector.Record{AuthorizedAt: epoch, RefreshExpiresAt: epoch.Add(40 * day), RefreshLife: 40 * day},
			at: 40 * day, warn: 33 * day,
		},
		{
			name:   "one whose refresh token ends, however often it was used since",
			record: connector.Record{AuthorizedAt: epoch, IssuedAt: epoch.Add(39 * day), RefreshExpiresAt: epoch.Add(40 * day), RefreshLife: 40 * day},
			at:     40 * day, warn: 33 * day,
		},
		{
			name:      "the end that comes first",
			record:    connector.Record{AuthorizedAt: epoch, RefreshExpiresAt: epoch.Add(100 * day), RefreshLife: 30 * day},
			behaviour: behaviour, at: 90 * day, warn: 83 * day,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := connector.Ends(row.record, row.behaviour)
			if row.at == 0 {
				if !got.At.IsZero() {
					t.Errorf("it ends at %s", got.At)
				}
				return
			}
			if !got.At.Equal(epoch.Add(row.at)) || !got.WarnAt.Equal(epoch.Add(row.warn)) {
				t.Errorf("it ends after %s, and is warned of after %s", got.At.Sub(epoch), got.WarnAt.Sub(epoch))
			}
		})
	}
}

// TestARefreshTokenThatIsRenewed by being used is used before its end is worth a warning.
func TestARefreshTokenThatIsRenewed(t *testing.T) {
	for _, life := range []time.Duration{time.Hour, 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour} {
		record := connector.Record{
			AccessToken: oauth.NewSecret("a"), RefreshToken: oauth.NewSecret("r"), AuthorizedAt: epoch.Add(-time.Hour), IssuedAt: epoch,
			RefreshExpiresAt: epoch.Add(life), RefreshLife: life,
		}
		due, end := connector.Due(record, connector.Behaviour{}, 0), connector.Ends(record, connector.Behaviour{})
		if !due.Before(end.WarnAt) {
			t.Errorf("of %s: due at %s, warned of at %s", life, due, end.WarnAt)
		}
	}
}

// TestSpread: a thousand UIDs are spread over all of it, and each always has the same.
func TestSpread(t *testing.T) {
	var tenths [10]int
	for i := range 1000 {
		uid := fmt.Sprintf("0d5f0e5c-0000-4000-8000-%012d", i)
		spread := connector.Spread(uid)
		if spread < 0 || spread >= 1 || spread != connector.Spread(uid) {
			t.Fatalf("%s has %v", uid, spread)
		}
		tenths[int(spread*10)]++
	}
	for i, count := range tenths {
		if count < 50 || count > 200 {
			t.Errorf("%d of 1000 are in tenth %d", count, i)
		}
	}
}
