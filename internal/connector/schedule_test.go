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
		if expires > 0 {
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
		{name: "before the refresh token expires, where that is sooner", record: record(time.Hour, 30*time.Minute), want: 20 * time.Minute},
		{
			name: "before the refresh token is dead that nobody uses", record: record(10000*time.Hour, 0),
			behaviour: connector.Behaviour{IdleExpiry: 90 * time.Hour}, want: 60 * time.Hour,
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

func TestAGrantThatEndsWhateverIsDone(t *testing.T) {
	record := connector.Record{AuthorizedAt: epoch}
	if ends := connector.Ends(record, connector.Behaviour{AbsoluteExpiry: time.Hour}); !ends.Equal(epoch.Add(time.Hour)) {
		t.Errorf("it ends at %s", ends)
	}
	for _, behaviour := range []connector.Behaviour{{}, {AbsoluteExpiry: time.Hour, Repeatable: true}} {
		if ends := connector.Ends(record, behaviour); !ends.IsZero() {
			t.Errorf("it ends at %s", ends)
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
