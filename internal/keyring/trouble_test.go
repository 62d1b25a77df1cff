// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

// TestClocks: what a clock that was ahead has left behind, and what one that is behind believes.
func TestClocks(t *testing.T) {
	check(t, schedule, []row{
		{name: "the only key was made a little ahead: it signs, and needs nothing", given: "A:2h"},
		{name: "the only key was made far ahead: that is noted", given: "A:900h", want: "A:900h,reset=1h"},
		{name: "what is noted is not done before its hour", given: "A:900h,reset=1m", next: "1m"},
		{name: "after an hour it begins now, so that its successor comes in time", given: "A:900h,reset=0s", want: "A:0s"},
		{name: "the clock was behind: the note goes", given: "A:-1h,reset=0s", want: "A:-1h"},
		{name: "the note was made by a clock that was ahead: it is made anew", given: "A:900h,reset=500h", want: "A:900h,reset=1h"},

		{name: "a key that waits for as long as an interval and a lead is left alone", given: "B:12h A:-1h"},
		{name: "one that waits longer is noted", given: "B:12h0m1s A:-1h", want: "B:12h0m1s,reset=1h A:-1h", next: "1s"},
		{name: "and signs a lead after the hour", given: "B:900h,reset=0s A:-2h", want: "B:2h A:-2h"},
		{name: "several keep their order", given: "C:990h,reset=0s B:980h,reset=0s A:-2h", want: "C:2h0m1s B:2h A:-2h"},
		{name: "with nothing but keys far ahead the first of them signs", given: "B:990h,reset=0s A:980h,reset=0s", want: "B:2h A:0s"},

		{name: "a clock that is behind adds nothing", given: "B:990h A:980h", rotation: "done", want: "B:990h,reset=1h A:980h,reset=1h"},
		{name: "a clock that is a day behind removes nothing", given: "C:24h B:14h A:4h,remove=0s", want: "C:24h,reset=1h B:14h,reset=1h A:4h,reset=1h"},
	})
}

// TestRequestOfAClockThatIsBehind: a new key would come before those that there are. What was asked for waits for the clock.
func TestRequestOfAClockThatIsBehind(t *testing.T) {
	known := cast{}
	given := keyring.Document{Keys: known.parse(t, "A:900h")}
	plan, err := schedule.Plan(rand.Reader, given, keyring.Request{Rotation: "x"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Added) != 0 || plan.Document.Rotation != "" {
		t.Fatalf("got %s, and %q is noted as granted", known.write(plan.Document.Keys), plan.Document.Rotation)
	}
	plan, err = schedule.Plan(rand.Reader, plan.Document, keyring.Request{Rotation: "x"}, noon.Add(899*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got := known.write(plan.Document.Keys); got != "new:901h A:900h" || plan.Document.Rotation != "x" {
		t.Errorf("got %s, and %q is noted as granted", got, plan.Document.Rotation)
	}
}

func TestEmergencyRemoval(t *testing.T) {
	check(t, schedule, []row{
		{name: "a key that is unknown is no error", given: "A:-1h", remove: "Z"},
		{name: "nor is one that is unknown while there is none", remove: "Z", want: "new:0s"},
		{name: "the only key goes, and a new one signs at once", given: "A:-1h", remove: "A", want: "new:0s", removed: "A", why: "Removal"},
		{name: "the key that signs goes, and the one that waits signs at once", given: "B:1h A:-9h", remove: "A", want: "B:0s", removed: "A", why: "Removal"},
		{name: "of several that wait the first signs", given: "C:9h B:1h A:-9h", remove: "A", want: "C:9h B:0s", removed: "A", why: "Removal"},
		{
			name:  "a key that has had its time never signs again",
			given: "B:-1h A:-11h", remove: "B", want: "new:0s A:-11h", removed: "B", why: "Removal",
		},
		{name: "a key that has had its time goes, and nothing else changes", given: "B:-1h A:-11h", remove: "A", want: "B:-1h", removed: "A"},
		{
			name:  "a key that waits goes, and another is published where it is time",
			given: "B:1h A:-9h", remove: "B", want: "new:2h A:-9h", removed: "B", why: "Schedule",
		},
		{name: "or none where it is not", given: "B:1h A:-1h", remove: "B", want: "A:-1h", removed: "B"},
		{name: "several go, known or not", given: "C:1h B:-9h A:-19h,life=90h", remove: "A Z C", want: "new:2h B:-9h", removed: "A C", why: "Schedule"},
		{name: "all go, and a new one signs at once", given: "C:1h B:-9h A:-19h", remove: "A B C", want: "new:0s", removed: "A B C", why: "Removal"},
		{
			name:  "of keys that all wait, the one that signs all the same goes, and the next signs at once",
			given: "B:5h A:1h", remove: "A", want: "B:0s", removed: "A", why: "Removal",
		},
		{
			name:  "the older key may sign for a clock that is behind, so it is kept for its tokens anew",
			given: "B:-6h A:-16h,remove=30m", remove: "B", want: "new:0s A:-16h", removed: "B", why: "Removal",
		},
		{
			name:  "a removal and a request are one write",
			given: "B:1h A:-9h", remove: "A", rotation: "x", want: "new:2h B:0s", removed: "A", why: "Removal Request",
		},
	})
}

// TestFull: whatever is asked for, the Secret stays small enough to be written.
func TestFull(t *testing.T) {
	words := []string{"A:-8h"}
	for len(words) < keyring.MaxKeys {
		words = append(words, "X:-9h,life=100h")
	}
	known := cast{}
	given := keyring.Document{Keys: known.parse(t, strings.Join(words, " "))}
	for _, request := range []keyring.Request{{}, {Rotation: "x"}} {
		plan, err := schedule.Plan(rand.Reader, given, request, noon)
		if err != nil {
			t.Fatal(err)
		}
		if !plan.Full || plan.Changed || !plan.Next.Equal(noon.Add(time.Hour)) {
			t.Errorf("full: %v, changed: %v, next: %v", plan.Full, plan.Changed, plan.Next)
		}
	}
	plan, err := schedule.Plan(rand.Reader, given, keyring.Request{Rotation: "x", Remove: known.ids("X")}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Full || len(plan.Added) != 1 || plan.Document.Rotation != "x" {
		t.Errorf("with room again: full: %v, added: %d", plan.Full, len(plan.Added))
	}
}

func TestPeak(t *testing.T) {
	for _, row := range []struct {
		name     string
		schedule keyring.Schedule
		want     int
	}{
		{"the defaults: tokens of up to a year", keyring.Schedule{Interval: 720 * time.Hour, Lead: 24 * time.Hour, MaxTokenLifetime: 8760 * time.Hour}, 14},
		{"tokens of up to a day", keyring.Schedule{Interval: 720 * time.Hour, Lead: 24 * time.Hour, MaxTokenLifetime: 24 * time.Hour}, 2},
		{"the tables", schedule, 2},
	} {
		if got := row.schedule.Peak(); got != row.want {
			t.Errorf("%s: got %d", row.name, got)
		}
	}
}
