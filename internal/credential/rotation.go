// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
	"unicode/utf8"

	"github.com/claviger/claviger/api/v1alpha1"
)

const (
	// DefaultOverlap is how long a secret that has been replaced goes on working.
	DefaultOverlap = 24 * time.Hour
	// maxRequest is the API's bound on status.rotation.request, in bytes.
	maxRequest = 256
	// maxTrigger is the API's bound on status.rotation.trigger, in characters.
	maxTrigger = 256
	// maxClockSkew is how far ahead another manager's clock may have been without being wrong.
	maxClockSkew = time.Minute
)

// Cause is why a client secret was replaced. The empty one means that it was not.
type Cause string

// Causes, as events and metrics name them.
const (
	// CauseInterval: the secret had been in use for spec.rotation.interval.
	CauseInterval Cause = "Interval"
	// CauseTrigger: spec.rotation.trigger changed.
	CauseTrigger Cause = "Trigger"
	// CauseRequest: the annotation claviger.dev/rotate changed.
	CauseRequest Cause = "Request"
	// CauseHealing: the Secret was deleted or edited.
	CauseHealing Cause = "Healing"
	// CauseImport: the Secret of spec.secretRef holds another secret, or spec.secretRef itself came or went.
	CauseImport Cause = "Import"
)

// Rotation says when a client's secret is to be replaced.
type Rotation struct {
	// Interval is zero where the clock replaces nothing.
	Interval time.Duration
	// Overlap is how long the old secret goes on working.
	Overlap time.Duration
	// Trigger and Request replace the secret that was made for another. An empty one replaces nothing.
	Trigger, Request string
}

// ReadRotation reads the rotation of a ClientCredential.
func ReadRotation(object *v1alpha1.ClientCredential) Rotation {
	rotation := Rotation{Overlap: DefaultOverlap, Request: request(object.Annotations[v1alpha1.AnnotationRotate])}
	spec := object.Spec.Rotation
	if spec == nil {
		return rotation
	}
	if spec.Interval != nil {
		rotation.Interval = spec.Interval.Duration
	}
	if spec.Overlap != nil {
		rotation.Overlap = spec.Overlap.Duration
	}
	rotation.Trigger = spec.Trigger
	return rotation
}

// request gives what an annotation asks for, in the length that the status has room for.
func request(annotation string) string {
	if len(annotation) <= maxRequest {
		return annotation
	}
	sum := sha256.Sum256([]byte(annotation))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Due says whether the secret of that record is to be replaced now, and why.
func (r Rotation) Due(made Record, now time.Time) Cause {
	switch {
	case r.Request != "" && r.Request != made.Request:
		return CauseRequest
	case r.Trigger != "" && r.Trigger != made.Trigger:
		return CauseTrigger
	case r.Interval > 0 && !now.Before(made.IssuedAt.Add(r.Interval)):
		return CauseInterval
	default:
		return ""
	}
}

// Next gives the time at which the secret of that record is to be replaced, or zero.
func (r Rotation) Next(made Record) time.Time {
	if r.Interval <= 0 {
		return time.Time{}
	}
	return made.IssuedAt.Add(r.Interval)
}

// record is what is written of a secret that is made now.
func (r Rotation) record(now time.Time) Record {
	return Record{IssuedAt: now.UTC().Truncate(time.Second), Trigger: r.Trigger, Request: r.Request}
}

// Record says when a client secret was made, and for what. It stands on the Secret and is written together with the secret,
// so that no crash can separate the two: whoever reads the Secret knows what has been done already.
type Record struct {
	// IssuedAt is in whole seconds.
	IssuedAt         time.Time
	Trigger, Request string
}

// ReadRecord reads the annotations of a Secret, and reports whether they hold a record.
func ReadRecord(annotations map[string]string) (Record, bool) {
	issuedAt, err := time.Parse(time.RFC3339, annotations[v1alpha1.AnnotationIssuedAt])
	trigger, request := annotations[v1alpha1.AnnotationTrigger], annotations[v1alpha1.AnnotationRotate]
	// The status would refuse what it has no room for, and nothing could be written any more.
	if err != nil || issuedAt.IsZero() || utf8.RuneCountInString(trigger) > maxTrigger || len(request) > maxRequest {
		return Record{}, false
	}
	return Record{IssuedAt: issuedAt.UTC(), Trigger: trigger, Request: request}, true
}

// Annotations gives what ReadRecord reads.
func (r Record) Annotations() map[string]string {
	annotations := map[string]string{v1alpha1.AnnotationIssuedAt: r.IssuedAt.UTC().Format(time.RFC3339)}
	if r.Trigger != "" {
		annotations[v1alpha1.AnnotationTrigger] = r.Trigger
	}
	if r.Request != "" {
		annotations[v1alpha1.AnnotationRotate] = r.Request
	}
	return annotations
}

// sane brings a time that a clock which was ahead has written back to now. Otherwise the next rotation would be forgotten
// for as long as that clock was ahead.
func (r Record) sane(now time.Time) Record {
	if r.IssuedAt.After(now.Add(maxClockSkew)) {
		r.IssuedAt = now.UTC().Truncate(time.Second)
	}
	return r
}

// Status gives what the status tells of a secret with that record.
func (r Rotation) Status(made Record) *v1alpha1.RotationStatus {
	return &v1alpha1.RotationStatus{
		LastRotationTime: apiTime(made.IssuedAt),
		NextRotationTime: apiTime(r.Next(made)),
		Trigger:          made.Trigger,
		Request:          made.Request,
	}
}
