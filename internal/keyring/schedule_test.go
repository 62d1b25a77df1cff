// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/keyring"
)

// schedule is that of the tables: a key signs for ten hours, and is kept for five (a token's lifetime and a Lead) and the
// hour of confirmation after that.
var schedule = keyring.Schedule{Interval: 10 * time.Hour, Lead: 2 * time.Hour, MaxTokenLifetime: 3 * time.Hour, Algorithm: keyring.AlgorithmES256}

// row is one plan, made at noon.
type row struct {
	name  string
	given string
	// rotation is what is asked for; "done" was granted before.
	rotation string
	// remove are the names of keys to remove.
	remove string
	// want is the document after; empty: it stays as it is.
	want string
	// why are the reasons of the rotations, expired and removed the names of keys that went.
	why, expired, removed string
	// next is when to look again, from noon; an hour where it is not given.
	next string
}

func check(t *testing.T, schedule keyring.Schedule, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			known := cast{}
			given := keyring.Document{Keys: known.parse(t, row.given), Rotation: "done"}
			request := keyring.Request{Rotation: row.rotation, Remove: known.ids(row.remove)}
			plan, err := schedule.Plan(rand.Reader, given, request, noon)
			if err != nil {
				t.Fatal(err)
			}
			row.judge(t, known, plan)
			checkRotation(t, plan, row.rotation)
			for _, key := range plan.Added {
				if !key.CreatedAt.Equal(noon) || key.MaxTokenLifetime != schedule.MaxTokenLifetime {
					t.Errorf("a key was made at %v for tokens of %v", key.CreatedAt, key.MaxTokenLifetime)
				}
			}
			again, err := schedule.Plan(rand.Reader, plan.Document, request, noon)
			if err != nil || again.Changed || !again.Next.Equal(plan.Next) {
				t.Errorf("a second look finds more to do: %s, at %s, %v", known.write(again.Document.Keys), fromNoon(again.Next), err)
			}
		})
	}
}

func (r row) judge(t *testing.T, known cast, plan keyring.Plan) {
	t.Helper()
	want := r.want
	if want == "" {
		want = r.given
	}
	if got := known.write(plan.Document.Keys); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if plan.Changed != (want != r.given || plan.Document.Rotation != "done") {
		t.Errorf("it says that it changes something: %v", plan.Changed)
	}
	if got := strings.Trim(fmt.Sprint(plan.Rotations), "[]"); got != r.why {
		t.Errorf("rotates because of %q, want %q", got, r.why)
	}
	if got := known.names(plan.Expired); got != r.expired {
		t.Errorf("expired: %q, want %q", got, r.expired)
	}
	if got := known.names(plan.Removed); got != r.removed {
		t.Errorf("removed: %q, want %q", got, r.removed)
	}
	if got := known.names(plan.Added); got != strings.Repeat("new", strings.Count(want, "new")) {
		t.Errorf("added: %q", got)
	}
	next := r.next
	if next == "" {
		next = "1h"
	}
	if got := fromNoon(plan.Next); got != next {
		t.Errorf("looks again in %s, want %s", got, next)
	}
}

// checkRotation: what was asked for is noted in the same write that does it, and what was granted stays.
func checkRotation(t *testing.T, plan keyring.Plan, asked string) {
	t.Helper()
	want := asked
	if asked == "" {
		want = "done"
	}
	if plan.Document.Rotation != want {
		t.Errorf("%q is noted as granted, want %q", plan.Document.Rotation, want)
	}
}

func TestScheduledRotation(t *testing.T) {
	check(t, schedule, []row{
		{name: "the first key signs at once", want: "new:0s"},
		{name: "a young key needs nothing", given: "A:-1h"},
		{name: "an old key needs nothing until a successor must be published", given: "A:-7h30m", next: "30m"},
		{name: "a second before, still nothing", given: "A:-7h59m59s", next: "1s"},
		{name: "a successor is published a lead before it signs", given: "A:-8h", want: "new:2h A:-8h", why: "Schedule"},
		{name: "a successor that is late is published as long before", given: "A:-100h", want: "new:2h A:-100h", why: "Schedule"},
		{name: "a key that waits is the successor", given: "B:1h A:-9h"},
		{name: "a key that begins to sign needs none yet", given: "B:0s A:-10h"},
		{name: "the newest key counts, wherever it stands", given: "A:-1h B:-11h"},
	})
}

func TestForcedRotation(t *testing.T) {
	check(t, schedule, []row{
		{name: "a request publishes a key that signs a lead later", given: "A:-1h", rotation: "x", want: "new:2h A:-1h", why: "Request"},
		{name: "a request that was granted is none", given: "A:-1h", rotation: "done"},
		{name: "a request for the very first key is granted with it", rotation: "x", want: "new:0s"},
		{name: "a key that waits is what was asked for", given: "B:1h A:-9h", rotation: "x"},
		{name: "a request when a successor is due makes one key", given: "A:-8h", rotation: "x", want: "new:2h A:-8h", why: "Request"},
		{name: "a request after the switch makes another key", given: "B:0s A:-10h", rotation: "x", want: "new:2h B:0s A:-10h", why: "Request"},
		{
			name:  "a request beside a key whose time has nearly come under a clock that was ahead comes after it",
			given: "A:2h", rotation: "x", want: "new:2h0m1s A:2h", why: "Request",
		},
	})
}

// TestChangeOfAlgorithm: schedule asks for ES256.
func TestChangeOfAlgorithm(t *testing.T) {
	check(t, schedule, []row{
		{name: "a key for another algorithm gets a successor a lead later", given: "A:-1h,EdDSA", want: "new:2h A:-1h,EdDSA", why: "Algorithm"},
		{name: "RSA gives way too", given: "A:-1h,RS256", want: "new:2h A:-1h,RS256", why: "Algorithm"},
		{name: "a key that waits is the successor", given: "B:1h A:-1h,EdDSA"},
		{name: "an older key for another algorithm is kept for its tokens", given: "B:-1h A:-2h,EdDSA"},
		{name: "one that waits and is for another algorithm begins first", given: "B:30m,EdDSA A:-1h", next: "30m"},
		{name: "and is given a successor then", given: "B:0s,EdDSA A:-1h", want: "new:2h B:0s,EdDSA A:-1h", why: "Algorithm"},
		{name: "a request is granted with it", given: "A:-1h,EdDSA", rotation: "x", want: "new:2h A:-1h,EdDSA", why: "Request"},
		{name: "a key that is due by its age as well gets one successor", given: "A:-100h,EdDSA", want: "new:2h A:-100h,EdDSA", why: "Algorithm"},
		{
			name:  "what signs in place of a key that is compromised does at once, and for the other algorithm",
			given: "B:1h,EdDSA A:-1h", remove: "A", want: "new:2h B:0s,EdDSA", why: "Removal Algorithm", removed: "A",
		},
		{name: "what is made in its place is for the one that is asked for", given: "A:-1h,EdDSA", remove: "A", want: "new:0s", why: "Removal", removed: "A"},
	})
}

func TestRetirement(t *testing.T) {
	check(t, schedule, []row{
		{name: "a key is kept for its tokens", given: "B:-4h A:-14h"},
		{name: "a second before its time is up it is not noted", given: "B:-4h59m59s A:-14h", next: "1s"},
		{name: "when its time is up that is noted", given: "B:-5h A:-15h", want: "B:-5h A:-15h,remove=1h"},
		{name: "what is noted is not done before its hour", given: "B:-5h59m A:-15h,remove=1m", next: "1m"},
		{name: "after its hour the key goes", given: "B:-6h A:-16h,remove=0s", want: "B:-6h", expired: "A"},
		{name: "a note that a clock ahead has made is made anew", given: "B:-6h A:-16h,remove=5h", want: "B:-6h A:-16h,remove=1h"},
		{name: "a note that a clock ahead has made goes where nothing is due", given: "B:-4h30m A:-14h,remove=5h", want: "B:-4h30m A:-14h", next: "30m"},
		{name: "a note whose hour is up means nothing where nothing is due", given: "B:-4h30m A:-14h,remove=0s", want: "B:-4h30m A:-14h", next: "30m"},
		{name: "the only key is never removed", given: "A:-7h,remove=0s", want: "A:-7h"},
		{name: "the key that signs is never removed", given: "B:2h A:-900h,remove=0s", want: "B:2h A:-900h"},
		{name: "tokens that live longer keep their key longer", given: "B:-5h A:-15h,life=4h"},
		{name: "tokens that live shorter let it go earlier", given: "B:-3h A:-13h,life=1h", want: "B:-3h A:-13h,life=1h,remove=1h"},
		{name: "tokens of an unknown lifetime keep their key for a year", given: "B:-8h A:-700h,life=0s", want: "new:2h B:-8h A:-700h,life=0s", why: "Schedule"},
		{
			name:  "and not for longer",
			given: "C:-1h B:-8763h A:-8773h,life=0s", want: "C:-1h B:-8763h A:-8773h,life=0s,remove=1h",
		},
		{
			name:  "a key whose tokens have expired stays while an older one must: it marks when that one ceased to sign",
			given: "C:-3h B:-6h,life=1h A:-16h,life=12h",
		},
		{
			name:  "several go together",
			given: "C:-6h B:-16h,remove=0s A:-26h,remove=-1m", want: "C:-6h", expired: "A B",
		},
		{
			name:  "they go the oldest first",
			given: "C:-6h B:-16h,remove=0s A:-26h,remove=30m", next: "30m",
		},
		{name: "a removal and a rotation are one write", given: "B:-8h A:-18h,remove=0s", want: "new:2h B:-8h", expired: "A", why: "Schedule"},
	})
}

func TestLifetimes(t *testing.T) {
	longer := schedule
	longer.MaxTokenLifetime = 30 * time.Hour
	check(t, longer, []row{
		{name: "a bound that grew is noted with the key that signs", given: "A:-1h", want: "A:-1h,life=30h"},
		{name: "and with the one that waits", given: "B:1h A:-9h", want: "B:1h,life=30h A:-9h,life=30h"},
		{name: "and with one that ceased to sign less than a lead ago", given: "B:-1h A:-11h", want: "B:-1h,life=30h A:-11h,life=30h"},
		{name: "and not with one that ceased before", given: "B:-2h A:-12h", want: "B:-2h,life=30h A:-12h"},
		{name: "a key of an unknown bound has the longest", given: "A:-1h,life=0s"},
	})
	shorter := schedule
	shorter.MaxTokenLifetime = time.Hour
	check(t, shorter, []row{
		{name: "a bound that shrank does not concern the keys that there are", given: "B:1h A:-9h"},
		{name: "only new ones", given: "A:-8h", want: "new:2h,life=1h A:-8h", why: "Schedule"},
	})
}
