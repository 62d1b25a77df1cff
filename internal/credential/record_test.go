// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

func TestRecordRoundTrip(t *testing.T) {
	const issued, trigger, request = v1alpha1.AnnotationIssuedAt, v1alpha1.AnnotationTrigger, v1alpha1.AnnotationRotate
	for _, row := range []struct {
		name   string
		record credential.Record
		want   map[string]string
	}{
		{"a secret that was made for nothing in particular has only a time", credential.Record{IssuedAt: noon}, map[string]string{issued: "2026-03-01T12:00:00Z"}},
		{"one that was made for a trigger", credential.Record{IssuedAt: noon, Trigger: "q4"}, map[string]string{issued: "2026-03-01T12:00:00Z", trigger: "q4"}},
		{"one that was made for an annotation", credential.Record{IssuedAt: noon, Request: "now"}, map[string]string{issued: "2026-03-01T12:00:00Z", request: "now"}},
		{
			"one that was made for both",
			credential.Record{IssuedAt: noon, Trigger: "q4", Request: "now"},
			map[string]string{issued: "2026-03-01T12:00:00Z", trigger: "q4", request: "now"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			annotations := row.record.Annotations()
			if !maps.Equal(annotations, row.want) {
				t.Errorf("got %v, want %v", annotations, row.want)
			}
			if got, ok := credential.ReadRecord(annotations); !ok || got != row.record {
				t.Errorf("got %v and %v, want %v", got, ok, row.record)
			}
		})
	}
}

// TestRecordsAreInUniversalTime: managers in different time zones write the same, and read the same.
func TestRecordsAreInUniversalTime(t *testing.T) {
	elsewhere := time.FixedZone("elsewhere", 5*3600+1800)
	record := credential.Record{IssuedAt: noon.In(elsewhere)}
	if got := record.Annotations()[v1alpha1.AnnotationIssuedAt]; got != "2026-03-01T12:00:00Z" {
		t.Errorf("got %q", got)
	}
	got, ok := credential.ReadRecord(map[string]string{v1alpha1.AnnotationIssuedAt: "2026-03-01T17:30:00+05:30"})
	if !ok || got != (credential.Record{IssuedAt: noon}) {
		t.Errorf("got %v and %v", got, ok)
	}
}

func TestReadRecordRefusesWhatIsDamaged(t *testing.T) {
	for name, issued := range map[string]string{
		"an empty time":              "",
		"a time that is cut off":     "2026-03-01T12:00",
		"a time without a zone":      "2026-03-01T12:00:00",
		"a date alone":               "2026-03-01",
		"a day that does not exist":  "2026-02-30T12:00:00Z",
		"a count of seconds":         "1772366400",
		"a time with something else": "2026-03-01T12:00:00Z (edited)",
	} {
		t.Run(name, func(t *testing.T) {
			record, ok := credential.ReadRecord(map[string]string{
				v1alpha1.AnnotationIssuedAt: issued, v1alpha1.AnnotationTrigger: "q4", v1alpha1.AnnotationRotate: "now",
			})
			if ok || record != (credential.Record{}) {
				t.Errorf("got %v and %v", record, ok)
			}
		})
	}
	const issued = "2026-03-01T12:00:00Z"
	for name, annotations := range map[string]map[string]string{
		"a trigger that the status has no room for is none": {v1alpha1.AnnotationIssuedAt: issued, v1alpha1.AnnotationTrigger: strings.Repeat("é", 257)},
		"a request that the status has no room for is none": {v1alpha1.AnnotationIssuedAt: issued, v1alpha1.AnnotationRotate: strings.Repeat("a", 257)},
		"the zero time, which no status can hold, is none":  {v1alpha1.AnnotationIssuedAt: "0001-01-01T00:00:00Z"},
		"no annotations are no record":                      nil,
		"a trigger without a time is no record":             {v1alpha1.AnnotationTrigger: "q4"},
		"a request without a time is no record":             {v1alpha1.AnnotationRotate: "now"},
		"annotations of others are not a record":            {"example.com/issued-at": "2026-03-01T12:00:00Z"},
		"an owner and a checksum are not, either":           {v1alpha1.AnnotationOwner: "orders/uid", v1alpha1.AnnotationChecksum: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			if record, ok := credential.ReadRecord(annotations); ok || record != (credential.Record{}) {
				t.Errorf("got %v and %v", record, ok)
			}
		})
	}
}
