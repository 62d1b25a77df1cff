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
	Now       time.Time
}

// Plan is what shall be published, and in which order.
type Plan struct {
	Secret    oauth.ClientSecret
	Verifiers Verifiers
	// Replaces is true where clients may still hold another secret. The verifiers must then be written before the
	// Secret: a crash between the two leaves the old secret valid and the new one unknown to anybody. Otherwise the
	// Secret is written first and the verifiers with the rest of the status.
	Replaces bool
}

// MakePlan decides what becomes of a credential's secret:
//
//   - The Secret holds one that still verifies: it stays, and is the current one. Where it was not (another manager, or
//     one that died, had staged a successor that nobody ever got), it becomes so again: what workloads hold wins.
//   - The Secret holds a generated one and no verifier of this pepper is known (status wiped, pepper replaced, a crash
//     after the first Secret was written): it is adopted.
//   - There is no secret and no verifier: a new one is made.
//   - Anything else means that the Secret was deleted or edited: a new one is made under the same client ID, and the old
//     one goes on working for the overlap.
func MakePlan(random io.Reader, o Observed) (Plan, error) {
	if IsGeneratedSecret(o.Published) {
		published := oauth.NewClientSecret(o.Published)
		digest := o.Pepper.Digest(o.Client.UID, o.Client.ID, published)
		if o.Client.Verifiers.Has(o.Pepper, digest, o.Now) || !o.Client.Verifiers.KnowsPepper(o.Pepper) {
			return Plan{Secret: published, Verifiers: o.promote(digest)}, nil
		}
	}
	secret, err := GenerateSecret(random)
	if err != nil {
		return Plan{}, err
	}
	return Plan{
		Secret:    secret,
		Verifiers: o.promote(o.Pepper.Digest(o.Client.UID, o.Client.ID, secret)),
		Replaces:  len(o.Client.Verifiers) > 0,
	}, nil
}

func (o Observed) promote(digest Digest) Verifiers {
	return o.Client.Verifiers.Promote(o.Pepper, digest, o.Now, DefaultOverlap)
}
