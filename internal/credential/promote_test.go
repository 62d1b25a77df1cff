// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/credential"
)

const (
	overlap = 24 * time.Hour
	// most is the API's bound on status.verifiers.
	most = 16
)

func TestPromote(t *testing.T) {
	pepper, other := newPepper(t, 1), newPepper(t, 2)
	in := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	verifier := func(secret string, expires time.Time) credential.Verifier {
		return credential.Verifier{Digest: digestOf(pepper, secret), PepperID: pepper.ID(), ExpiresAt: expires}
	}
	current := func(secret string) credential.Verifier { return verifier(secret, time.Time{}) }
	published := func(verifier credential.Verifier) credential.Verifier {
		verifier.PublishedAt = in(-9)
		return verifier
	}
	promoted := credential.Verifier{Digest: digestOf(pepper, "new"), PepperID: pepper.ID(), PublishedAt: noon}
	// ending gives a verifier for each of these hours, which end then.
	ending := func(hours ...int) (all credential.Verifiers) {
		for _, hour := range hours {
			all = append(all, verifier(strconv.Itoa(hour), in(hour)))
		}
		return all
	}
	for _, row := range []struct {
		name   string
		before credential.Verifiers
		want   credential.Verifiers
	}{
		{name: "the first secret is current", want: credential.Verifiers{promoted}},
		{
			name:   "the current secret stays current",
			before: credential.Verifiers{current("new")}, want: credential.Verifiers{promoted},
		},
		{
			name:   "a replaced secret expires after the overlap",
			before: credential.Verifiers{current("old")}, want: credential.Verifiers{promoted, verifier("old", in(24))},
		},
		{
			name:   "one that expires already keeps its time",
			before: credential.Verifiers{current("old"), verifier("older", in(5))},
			want:   credential.Verifiers{promoted, verifier("old", in(24)), verifier("older", in(5))},
		},
		{
			name:   "a successor that was prepared is published now, and the overlap of the one before begins",
			before: credential.Verifiers{current("new"), published(current("old"))},
			want:   credential.Verifiers{promoted, published(verifier("old", in(24)))},
		},
		{
			name:   "one that has expired is dropped, at the very instant too",
			before: credential.Verifiers{verifier("a", in(0)), verifier("b", in(-1))}, want: credential.Verifiers{promoted},
		},
		{
			name:   "one of another pepper is dropped",
			before: credential.Verifiers{{Digest: digestOf(other, "old"), PepperID: other.ID()}}, want: credential.Verifiers{promoted},
		},
		{
			name:   "one that expires becomes current again",
			before: credential.Verifiers{current("old"), verifier("new", in(5))},
			want:   credential.Verifiers{promoted, verifier("old", in(24))},
		},
		{
			name:   "one that becomes current again stays published",
			before: credential.Verifiers{current("old"), published(verifier("new", in(5)))},
			want:   credential.Verifiers{published(current("new")), verifier("old", in(24))},
		},
		{
			name:   "one that would outlive the overlap ends with it: that was longer, or a clock ahead",
			before: credential.Verifiers{current("old"), verifier("older", in(25)), verifier("oldest", in(720))},
			want:   credential.Verifiers{promoted, verifier("old", in(24)), verifier("older", in(24)), verifier("oldest", in(24))},
		},
		{
			name:   "beyond the bound, those that were never published go first",
			before: append(credential.Verifiers{current("old"), published(verifier("1", in(1)))}, ending(shuffled(2)...)...),
			want:   append(credential.Verifiers{promoted, published(verifier("1", in(1))), verifier("old", in(24))}, ending(fromLast(3)...)...),
		},
		{
			name:   "beyond the bound, those that would expire first go first",
			before: append(credential.Verifiers{current("old")}, ending(shuffled(1)...)...),
			want:   append(credential.Verifiers{promoted, verifier("old", in(24))}, ending(fromLast(2)...)...),
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := slices.Clone(row.before)
			got := row.before.Promote(pepper, digestOf(pepper, "new"), noon, overlap)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if !slices.Equal(row.before, before) {
				t.Error("the verifiers before were changed in place")
			}
		})
	}
}

// shuffled gives the hours from the first to most-1, in no order.
func shuffled(first int) []int {
	hours := fromLast(first)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(hours), func(i, j int) { hours[i], hours[j] = hours[j], hours[i] })
	return hours
}

// fromLast gives the hours from most-1 down to the last.
func fromLast(last int) []int {
	var hours []int
	for hour := most - 1; hour >= last; hour-- {
		hours = append(hours, hour)
	}
	return hours
}

func TestPromoteWithAnotherOverlap(t *testing.T) {
	pepper := newPepper(t, 1)
	verifier := func(secret string, expires time.Time) credential.Verifier {
		return credential.Verifier{Digest: digestOf(pepper, secret), PepperID: pepper.ID(), PublishedAt: noon, ExpiresAt: expires}
	}
	in := noon.Add
	before := credential.Verifiers{verifier("current", time.Time{}), verifier("old", in(overlap)), verifier("older", in(time.Hour))}
	for _, row := range []struct {
		name    string
		digest  string
		overlap time.Duration
		want    credential.Verifiers
	}{
		{
			name:   "a longer overlap prolongs nothing that has an end",
			digest: "new", overlap: 2 * overlap,
			want: credential.Verifiers{verifier("new", time.Time{}), verifier("current", in(2*overlap)), verifier("old", in(overlap)), verifier("older", in(time.Hour))},
		},
		{
			name:   "a shorter overlap shortens what has a later end",
			digest: "new", overlap: 2 * time.Hour,
			want: credential.Verifiers{verifier("new", time.Time{}), verifier("current", in(2*time.Hour)), verifier("old", in(2*time.Hour)), verifier("older", in(time.Hour))},
		},
		{
			name:   "also where nothing is replaced",
			digest: "current", overlap: 2 * time.Hour,
			want: credential.Verifiers{verifier("current", time.Time{}), verifier("old", in(2*time.Hour)), verifier("older", in(time.Hour))},
		},
		{
			name:   "an overlap that is not of whole seconds is cut, not rounded up",
			digest: "new", overlap: 1999 * time.Millisecond,
			want: credential.Verifiers{verifier("new", time.Time{}), verifier("current", in(time.Second)), verifier("old", in(time.Second)), verifier("older", in(time.Second))},
		},
		{
			name:   "no overlap ends everything at once",
			digest: "new", overlap: 0,
			want: credential.Verifiers{verifier("new", time.Time{})},
		},
		{
			name:   "and also what was left of another",
			digest: "current", overlap: 0,
			want: credential.Verifiers{verifier("current", time.Time{})},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := before.Promote(pepper, digestOf(pepper, row.digest), noon, row.overlap)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

// TestPromotedTimesSurviveTheAPI: the API stores whole seconds, so what is written must equal what is read back.
func TestPromotedTimesSurviveTheAPI(t *testing.T) {
	pepper := newPepper(t, 1)
	first := credential.Verifiers(nil).Promote(pepper, digestOf(pepper, "a"), noon, overlap)
	second := first.Promote(pepper, digestOf(pepper, "b"), noon.Add(999*time.Millisecond), overlap)
	if ends, published := second[1].ExpiresAt, second[0].PublishedAt; !ends.Equal(noon.Add(overlap)) || !published.Equal(noon) {
		t.Errorf("got %v", second)
	}
}
