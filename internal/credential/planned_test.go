// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

// The client that plans are made for.
const (
	clientUID = "uid"
	clientID  = "acme.orders"
)

// generated gives a client secret that differs with the seed.
func generated(t *testing.T, seed byte) string {
	t.Helper()
	secret, err := credential.GenerateSecret(randomness(seed))
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

// The seed that plans are made with, which makes the secret that rows call fresh.
const freshSeed = 99

// sealer makes verifiers of the client's secrets.
type sealer struct {
	pepper credential.Pepper
	uid    types.UID
}

func newSealer(pepper credential.Pepper) sealer { return sealer{pepper: pepper, uid: clientUID} }

// prepared verifies a secret that was never published.
func (s sealer) prepared(secret string) credential.Verifier {
	return credential.Verifier{Digest: s.pepper.Digest(s.uid, clientID, oauth.NewSecret(secret)), PepperID: s.pepper.ID()}
}

// current verifies a secret that was published at noon and has no end.
func (s sealer) current(secret string) credential.Verifier {
	verifier := s.prepared(secret)
	verifier.PublishedAt = noon
	return verifier
}

// ending verifies one that was published at noon and ends so long after.
func (s sealer) ending(secret string, after time.Duration) credential.Verifier {
	verifier := s.current(secret)
	verifier.ExpiresAt = noon.Add(after)
	return verifier
}

// dropped verifies a secret that was prepared, and given up at noon.
func (s sealer) dropped(secret string) credential.Verifier {
	verifier := s.prepared(secret)
	verifier.ExpiresAt = noon.Add(overlap)
	return verifier
}

// bare is a secret in a Secret that says nothing of it.
func bare(secret string) credential.Held {
	return credential.Held{Secret: oauth.NewSecret(secret)}
}

// noted is a secret in a Secret that has a record of it.
func noted(secret string, made credential.Record) credential.Held {
	return credential.Held{Secret: oauth.NewSecret(secret), Made: &made}
}

// planRow is a row of a table of plans that are made at noon: what is observed, then what is to come of it.
type planRow struct {
	name      string
	rotation  credential.Rotation
	held      []credential.Held
	verifiers credential.Verifiers
	known     *v1alpha1.RotationStatus
	prepared  string

	secret string
	made   credential.Record
	cause  credential.Cause
	staged credential.Verifiers
	want   credential.Verifiers
}

func (r planRow) observed(pepper credential.Pepper) credential.Observed {
	return credential.Observed{
		Client: &credential.Client{UID: clientUID, ID: clientID, Verifiers: r.verifiers},
		Pepper: pepper, Rotation: r.rotation, Held: r.held, Known: r.known, Prepared: oauth.NewSecret(r.prepared), Now: noon,
	}
}

func (r planRow) check(t *testing.T, plan credential.Plan) {
	t.Helper()
	if plan.Secret.Reveal() != r.secret {
		t.Errorf("got secret %q, want %q", plan.Secret.Reveal(), r.secret)
	}
	if plan.Made != r.made {
		t.Errorf("got record %v, want %v", plan.Made, r.made)
	}
	if plan.Cause != r.cause {
		t.Errorf("got cause %q, want %q", plan.Cause, r.cause)
	}
	if !slices.Equal(plan.Staged, r.staged) || plan.Replaces() != (r.staged != nil) {
		t.Errorf("got staged %v, want %v", plan.Staged, r.staged)
	}
	if !slices.Equal(plan.Published, r.want) {
		t.Errorf("got verifiers %v, want %v", plan.Published, r.want)
	}
}

// run makes a plan for a generated secret, and checks it.
func (r planRow) run(t *testing.T, pepper credential.Pepper) {
	t.Helper()
	before := slices.Clone(r.verifiers)
	plan, err := credential.MakePlan(randomness(freshSeed), r.observed(pepper))
	if err != nil {
		t.Fatal(err)
	}
	r.check(t, plan)
	if !slices.Equal(r.verifiers, before) {
		t.Error("the verifiers before were changed in place")
	}
}
