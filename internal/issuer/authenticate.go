// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"

	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

var (
	errUnknownClient = refuse(ReasonUnknownClient, "no such client")
	errWrongSecret   = refuse(ReasonWrongSecret, "wrong client secret")
	errNoKeys        = refuse(ReasonNotReady, "the key material is not loaded")
	errNotSynced     = refuse(ReasonNotReady, "the objects are not all known yet")
)

// decoy stands in for a client that does not exist, so that answering costs the same work.
var decoy = &credential.Client{ID: "decoy", UID: "decoy", Verifiers: credential.Verifiers{{}}}

// caller is the client that a request names, with the ID of the client secret, or of the key, that it has proved to have.
type caller struct {
	credential.Subject
	secretID string
	// serviceAccount is whom the caller has proved to be, where it came with the token of one.
	serviceAccount assertion.ServiceAccount
}

// clientID is empty where the request names no client that exists.
func (c caller) clientID() string {
	if c.Client == nil {
		return ""
	}
	return c.Client.ID
}

// authenticate is how an endpoint for clients learns which one calls it.
func (s *Service) authenticate(presented oauth.ClientAuthentication) (caller, error) {
	known, err := s.identify(presented)
	if err == nil && known.Client == nil { // a ServiceAccount that speaks for itself
		err = oauth.InvalidClient(errUnknownClient)
	}
	return known, err
}

// identify is how every endpoint learns who calls it: by what the caller proves, within the budget for failures. Over
// budget it fails with temporarily_unavailable, before any work is done on what was presented and without regard to whether
// there is such a client.
func (s *Service) identify(presented oauth.ClientAuthentication) (caller, error) {
	if !s.Directory.Synced() {
		return caller{}, oauth.ServerError(errNotSynced)
	}
	clientIDs := presented.ClientIDs()
	if err := s.Failures.Admit(presented.Source, clientIDs...); err != nil {
		return s.named(clientIDs), err
	}
	known, err := s.prove(presented)
	switch {
	case err == nil && known.Client != nil:
		s.Failures.Succeeded(presented.Source, known.clientID())
	case errors.Is(err, &oauth.Error{Code: oauth.CodeInvalidClient}):
		if refused := s.Failures.Failed(presented.Source, clientIDs...); refused != nil {
			err = refused
		}
	}
	return known, err
}

// named finds the client that a request names, for the audit log alone.
func (s *Service) named(clientIDs []string) caller {
	for _, id := range clientIDs {
		if subject, found := s.Directory.Subject(id); found {
			return caller{Subject: subject}
		}
	}
	return caller{}
}

// prove verifies what was presented, then judges the client. Everything that fails here has one and the same answer.
func (s *Service) prove(presented oauth.ClientAuthentication) (caller, error) {
	switch presented.Method {
	case oauth.MethodPrivateKeyJWT:
		return s.proveKey(presented)
	case oauth.MethodServiceAccountToken:
		return s.proveServiceAccount(presented.Assertion)
	default:
		return s.proveSecret(presented.Readings)
	}
}

// proveSecret costs the same whatever is wrong: one digest for each reading of what was presented.
func (s *Service) proveSecret(readings []oauth.Presented) (caller, error) {
	pepper, ok := s.Keys.Pepper()
	if !ok {
		return caller{}, oauth.ServerError(errNoKeys)
	}
	known, cause := caller{}, errUnknownClient
	for _, reading := range readings {
		subject, found := s.Directory.Subject(reading.ClientID)
		client := decoy
		if found {
			client, known, cause = subject.Client, caller{Subject: subject}, errWrongSecret
		}
		if secretID, ok := client.Verify(pepper, reading.Secret, s.Now()); ok && found {
			known.secretID = secretID
			return s.judged(known)
		}
	}
	return known, oauth.InvalidClient(cause)
}

func (s *Service) judged(known caller) (caller, error) {
	if err := s.Rules.Judge(known.Subject); err != nil {
		return known, oauth.InvalidClient(err)
	}
	return known, nil
}
