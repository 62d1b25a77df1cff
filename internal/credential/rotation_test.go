// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/test/builder"
)

// month is the interval of rotations in these tests.
const month = 720 * time.Hour

func TestReadRotation(t *testing.T) {
	request := func(value string) builder.Option { return builder.Annotated(v1alpha1.AnnotationRotate, value) }
	// printf 'a%.0s' $(seq 257) | sha256sum
	const hashed = "sha256:e8d95cc2b4bc198c54b40bd214df958afb65f5e73d2c2eafe0593cf5c635c1f0"
	for _, row := range []struct {
		name    string
		options []builder.CredentialOption
		want    credential.Rotation
	}{
		{"left out, nothing is replaced by the clock, and the overlap is a day", nil, credential.Rotation{Overlap: 24 * time.Hour}},
		{"an interval alone has the default overlap", options(builder.Interval(month)), credential.Rotation{Interval: month, Overlap: 24 * time.Hour}},
		{"an overlap may be longer than the default", options(builder.Overlap(48 * time.Hour)), credential.Rotation{Overlap: 48 * time.Hour}},
		{"an overlap of zero is none, not the default", options(builder.Overlap(0)), credential.Rotation{}},
		{"a trigger is taken as it is", options(builder.Trigger(" 2026-q4 ")), credential.Rotation{Overlap: 24 * time.Hour, Trigger: " 2026-q4 "}},
		{"the annotation is read without spec.rotation", options(request("now")), credential.Rotation{Overlap: 24 * time.Hour, Request: "now"}},
		{
			"all of them together",
			options(builder.Interval(month), builder.Overlap(time.Hour), builder.Trigger("q4"), request("now")),
			credential.Rotation{Interval: month, Overlap: time.Hour, Trigger: "q4", Request: "now"},
		},
		{
			"the longest annotation that the status has room for is taken as it is",
			options(request(strings.Repeat("a", 256))),
			credential.Rotation{Overlap: 24 * time.Hour, Request: strings.Repeat("a", 256)},
		},
		{
			"a longer one is hashed",
			options(request(strings.Repeat("a", 257))),
			credential.Rotation{Overlap: 24 * time.Hour, Request: hashed},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := credential.ReadRotation(builder.ClientCredential("acme", "orders", row.options...)); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func options(all ...builder.CredentialOption) []builder.CredentialOption { return all }

// TestLongRequestsDiffer: two long annotations that begin alike ask for two rotations. The bound is in bytes, so a text of
// other letters is hashed sooner.
func TestLongRequestsDiffer(t *testing.T) {
	read := func(value string) string {
		return credential.ReadRotation(builder.ClientCredential("acme", "orders", builder.Annotated(v1alpha1.AnnotationRotate, value))).Request
	}
	long := strings.Repeat("a", 300)
	if read(long+"1") == read(long+"2") {
		t.Error("two annotations that differ at their end ask for the same")
	}
	if got := read(strings.Repeat("é", 200)); !strings.HasPrefix(got, "sha256:") || len(got) > 256 {
		t.Errorf("got %q", got)
	}
}

func TestDue(t *testing.T) {
	made := credential.Record{IssuedAt: noon.Add(-month), Trigger: "q3", Request: "first"}
	younger := made
	younger.IssuedAt = made.IssuedAt.Add(time.Second)
	for _, row := range []struct {
		name     string
		rotation credential.Rotation
		made     credential.Record
		want     credential.Cause
	}{
		{"nothing is due where nothing is asked for", credential.Rotation{}, made, ""},
		{"nothing is due for what the secret was made for", credential.Rotation{Trigger: "q3", Request: "first"}, made, ""},
		{"another trigger is", credential.Rotation{Trigger: "q4"}, made, credential.CauseTrigger},
		{"the first trigger is, too", credential.Rotation{Trigger: "q3"}, credential.Record{IssuedAt: noon}, credential.CauseTrigger},
		{"a trigger that differs in letter case is another", credential.Rotation{Trigger: "Q3"}, made, credential.CauseTrigger},
		{"taking the trigger away replaces nothing", credential.Rotation{Request: "first"}, made, ""},
		{"another annotation is", credential.Rotation{Request: "second"}, made, credential.CauseRequest},
		{"the first annotation is, too", credential.Rotation{Request: "first"}, credential.Record{IssuedAt: noon}, credential.CauseRequest},
		{"taking the annotation away replaces nothing", credential.Rotation{Trigger: "q3"}, made, ""},
		{"a trigger is no annotation", credential.Rotation{Trigger: "first"}, made, credential.CauseTrigger},
		{"an annotation is no trigger", credential.Rotation{Request: "q3"}, made, credential.CauseRequest},
		{"an interval is due when it has passed, at the very instant", credential.Rotation{Interval: month}, made, credential.CauseInterval},
		{"and after", credential.Rotation{Interval: month - time.Hour}, made, credential.CauseInterval},
		{"not before", credential.Rotation{Interval: month}, younger, ""},
		{"an annotation is named before a trigger", credential.Rotation{Trigger: "q4", Request: "second"}, made, credential.CauseRequest},
		{"a trigger is named before the interval", credential.Rotation{Interval: month, Trigger: "q4"}, made, credential.CauseTrigger},
		{"an interval is due beside a trigger that has not changed", credential.Rotation{Interval: month, Trigger: "q3"}, made, credential.CauseInterval},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.rotation.Due(row.made, noon); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestNext(t *testing.T) {
	made := credential.Record{IssuedAt: noon}
	for _, row := range []struct {
		name     string
		interval time.Duration
		want     time.Time
	}{
		{"there is none without an interval", 0, time.Time{}},
		{"an interval below zero is none", -time.Hour, time.Time{}},
		{"it is one interval from when the secret was made", month, noon.Add(month)},
	} {
		t.Run(row.name, func(t *testing.T) {
			rotation := credential.Rotation{Interval: row.interval}
			next := rotation.Next(made)
			if !next.Equal(row.want) {
				t.Fatalf("got %v, want %v", next, row.want)
			}
			if next.IsZero() {
				return
			}
			if rotation.Due(made, next) == "" || rotation.Due(made, next.Add(-1)) != "" {
				t.Error("Next and Due disagree")
			}
		})
	}
}

func TestRotationStatus(t *testing.T) {
	status := credential.Rotation{Interval: month, Trigger: "q4", Request: "second"}.Status(credential.Record{IssuedAt: noon, Trigger: "q3", Request: "first"})
	if !status.LastRotationTime.Time.Equal(noon) || !status.NextRotationTime.Time.Equal(noon.Add(month)) {
		t.Errorf("got %v and %v", status.LastRotationTime, status.NextRotationTime)
	}
	if status.Trigger != "q3" || status.Request != "first" {
		t.Errorf("got %q and %q, want what the secret was made for", status.Trigger, status.Request)
	}
	status = credential.Rotation{}.Status(credential.Record{IssuedAt: noon})
	if status.NextRotationTime != nil || status.LastRotationTime == nil || status.Trigger != "" || status.Request != "" {
		t.Errorf("got %v, want no next rotation", status)
	}
}
