// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"io"
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// Observed is what is known of a credential's secret before anything is written.
type Observed struct {
	Client *Client
	Pepper Pepper
	// Published is the client secret in the Secret; empty where there is no Secret or it holds none.
	Published string
	// Prepared is the successor that an earlier plan made and that could not be published; empty where there is none.
	Prepared oauth.ClientSecret
	Now      time.Time
}

// Plan is what shall be published, and in which order.
type Plan struct {
	Secret oauth.ClientSecret
	// Staged, where clients may still hold another secret, must be written before the Secret: a crash between the two
	// leaves the old secret valid and the new one unknown to anybody. Nil otherwise.
	Staged Verifiers
	// Published is to be written once the Secret holds the secret.
	Published Verifiers
}

// Replaces reports whether clients may still hold another secret.
func (p Plan) Replaces() bool { return p.Staged != nil }

// MakePlan decides what becomes of a credential's secret:
//
//   - The Secret holds one that still verifies: it stays, and is the current one. Where it was not (another manager, or
//     one that died, had staged a successor that nobody ever got), it becomes so again: what workloads hold wins.
//   - The Secret holds a generated one and no verifier of this pepper is known (status wiped, pepper replaced, a crash
//     after the first Secret was written): it is adopted.
//   - There is no secret and no verifier: a new one is made.
//   - Anything else means that the Secret was deleted or edited: a new one is made under the same client ID, or the one
//     that was prepared before is taken, and the old one goes on working for the overlap.
func MakePlan(random io.Reader, o Observed) (Plan, error) {
	if IsGeneratedSecret(o.Published) {
		published := oauth.NewClientSecret(o.Published)
		digest := o.digest(published)
		if o.Client.Verifiers.Has(o.Pepper, digest, o.Now) || !o.Client.Verifiers.KnowsPepper(o.Pepper) {
			return Plan{Secret: published, Published: o.promote(o.Client.Verifiers, digest)}, nil
		}
	}
	if digest := o.digest(o.Prepared); o.Client.Verifiers.Staged(o.Pepper, digest) {
		return o.replace(o.Prepared, digest), nil
	}
	secret, err := GenerateSecret(random)
	if err != nil {
		return Plan{}, err
	}
	digest := o.digest(secret)
	if len(o.Client.Verifiers) == 0 {
		return Plan{Secret: secret, Published: o.promote(nil, digest)}, nil
	}
	return o.replace(secret, digest), nil
}

func (o Observed) replace(secret oauth.ClientSecret, digest Digest) Plan {
	staged := o.Client.Verifiers.Stage(o.Pepper, digest, o.Now)
	return Plan{Secret: secret, Staged: staged, Published: o.promote(staged, digest)}
}

func (o Observed) promote(verifiers Verifiers, digest Digest) Verifiers {
	return verifiers.Promote(o.Pepper, digest, o.Now, DefaultOverlap)
}

func (o Observed) digest(secret oauth.ClientSecret) Digest {
	return o.Pepper.Digest(o.Client.UID, o.Client.ID, secret)
}
