// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"io"
	"slices"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// Held is a client secret that was found in a Secret of ours, so that workloads may hold it.
type Held struct {
	Secret oauth.Secret
	// Made is what the Secret says of it; nil where it says nothing.
	Made *Record
	// Earlier is true where the Secret belongs to an earlier object of the same name: restored from a backup, or retained.
	Earlier bool
}

// Observed is what is known of a credential's secret before anything is written.
type Observed struct {
	Client   *Client
	Pepper   Pepper
	Rotation Rotation
	// Held is every secret that was found, that of the Secret which shall hold it first.
	Held []Held
	// Known is what the status says of the current secret; nil where it says nothing.
	Known *v1alpha1.RotationStatus
	// Prepared is the successor that an earlier plan made and that could not be published; empty where there is none.
	Prepared oauth.Secret
	Now      time.Time
}

// Plan is what shall be published, and in which order.
type Plan struct {
	Secret oauth.Secret
	// Made is the record that goes with the secret.
	Made Record
	// Cause is why clients may still hold another secret; empty where they do not.
	Cause Cause
	// Staged, where clients may still hold another secret, must be written before the Secret: a crash between the two
	// leaves the old secret valid and the new one unknown to anybody. Nil otherwise.
	Staged Verifiers
	// Published is to be written once the Secret holds the secret.
	Published Verifiers
}

// Replaces reports whether clients may still hold another secret.
func (p Plan) Replaces() bool { return p.Staged != nil }

// MakePlan decides what becomes of a generated secret:
//
//   - A Secret holds one that still verifies: it stays, and is the current one. Where it was not (another manager, or one
//     that died, had staged a successor that nobody ever got), it becomes so again: what workloads hold wins. Of several, the
//     one that was published last.
//   - None verifies, but a Secret holds a generated one, and either no verifier of this pepper is known (status wiped, pepper
//     replaced, a crash after the first Secret was written) or the Secret is that of an earlier object of the same name
//     (restored from a backup, retained): it is adopted.
//   - There is no secret and no verifier: a new one is made.
//   - Anything else means that the Secret was deleted or edited: it is replaced under the same client ID.
//
// What stays or is adopted is replaced if a rotation is due. The record that says so stands on the Secret, so it is that of
// the secret in question, whatever has happened to the status. A replacement that was prepared before is taken up again.
func MakePlan(random io.Reader, o Observed) (Plan, error) {
	before, cause := o.Client.Verifiers, CauseHealing
	if held, digest, ok := o.choose(); ok {
		made := o.recordOf(held, digest)
		if cause = o.Rotation.Due(made, o.Now); cause == "" {
			return o.keep(held.Secret, digest, made), nil
		}
		before = before.Adopt(o.Pepper, digest, o.Now)
	}
	if cause == CauseHealing && o.holdsImported() {
		cause = CauseImport
	}
	if o.Client.Verifiers.Staged(o.Pepper, o.digest(o.Prepared)) {
		return o.replace(before, o.Prepared, cause), nil
	}
	secret, err := GenerateSecret(random)
	if err != nil {
		return Plan{}, err
	}
	return o.replace(before, secret, cause), nil
}

// MakeImportPlan decides what becomes of a secret that its user brings: it is the current one. One that was before it goes on
// working for the overlap.
func MakeImportPlan(secret oauth.Secret, o Observed) Plan {
	verifiers, digest := o.Client.Verifiers, o.digest(secret)
	if verifiers.KnowsPepper(o.Pepper) && (!verifiers.Has(o.Pepper, digest, o.Now) || verifiers.Staged(o.Pepper, digest)) {
		plan := o.replace(verifiers, secret, CauseImport)
		plan.Made = Record{IssuedAt: plan.Published[0].PublishedAt}
		return plan
	}
	plan := o.keep(secret, digest, Record{})
	plan.Made.IssuedAt = plan.Published[0].PublishedAt
	return plan
}

// keep plans for a secret that workloads hold already. One that does not verify yet, or is to end, does so without end before
// the Secret is written.
func (o Observed) keep(secret oauth.Secret, digest Digest, made Record) Plan {
	plan := Plan{Secret: secret, Made: made, Published: o.promote(o.Client.Verifiers, digest)}
	if o.Client.Verifiers.KnowsPepper(o.Pepper) && !o.Client.Verifiers.endless(o.Pepper, digest) {
		plan.Staged = o.Client.Verifiers.Adopt(o.Pepper, digest, o.Now)
	}
	return plan
}

// choose finds the secret that workloads hold.
func (o Observed) choose() (Held, Digest, bool) {
	best := len(o.Client.Verifiers)
	var chosen Held
	for _, held := range o.Held {
		if !IsGeneratedSecret(held.Secret.Reveal()) {
			continue // brought by its user, before spec.secretRef was taken away, or by somebody who edited the Secret
		}
		if rank, found := o.Client.Verifiers.rank(o.Pepper, o.digest(held.Secret), o.Now); found && rank < best {
			best, chosen = rank, held
		}
	}
	if best < len(o.Client.Verifiers) {
		return chosen, o.digest(chosen.Secret), true
	}
	for _, held := range o.Held {
		if IsGeneratedSecret(held.Secret.Reveal()) && (held.Earlier || !o.Client.Verifiers.KnowsPepper(o.Pepper)) {
			return held, o.digest(held.Secret), true
		}
	}
	return Held{}, Digest{}, false
}

// holdsImported reports whether a Secret of ours holds a secret that works and that its user brought.
func (o Observed) holdsImported() bool {
	return slices.ContainsFunc(o.Held, func(held Held) bool {
		return !IsGeneratedSecret(held.Secret.Reveal()) && o.Client.Verifiers.Has(o.Pepper, o.digest(held.Secret), o.Now)
	})
}

// recordOf gives the record of a secret that was found: that of its Secret, else, where somebody has taken that away, that
// of the status, else as if it had been made for what the spec says now.
func (o Observed) recordOf(held Held, digest Digest) Record {
	if held.Made != nil {
		return held.Made.sane(o.Now)
	}
	made := o.Rotation.record(o.Now)
	if published := o.Client.Verifiers.publishedAt(o.Pepper, digest); !published.IsZero() {
		made.IssuedAt = published
	}
	if o.Known != nil {
		made.Trigger, made.Request = o.Known.Trigger, o.Known.Request
		if at := o.Known.LastRotationTime; at != nil {
			made.IssuedAt = at.Time
		}
	}
	return made.sane(o.Now)
}

func (o Observed) replace(before Verifiers, secret oauth.Secret, cause Cause) Plan {
	plan := Plan{Secret: secret, Made: o.Rotation.record(o.Now)}
	digest := o.digest(secret)
	if len(before) == 0 {
		plan.Published = o.promote(nil, digest)
		return plan
	}
	plan.Cause, plan.Staged = cause, before.Stage(o.Pepper, digest, o.Now)
	plan.Published = o.promote(plan.Staged, digest)
	return plan
}

func (o Observed) promote(verifiers Verifiers, digest Digest) Verifiers {
	return verifiers.Promote(o.Pepper, digest, o.Now, o.Rotation.Overlap)
}

func (o Observed) digest(secret oauth.Secret) Digest {
	return o.Pepper.Digest(o.Client.UID, o.Client.ID, secret)
}
