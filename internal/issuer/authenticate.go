// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

var (
	errUnknownClient = errors.New("no such client")
	errWrongSecret   = errors.New("wrong client secret")
	errNoKeys        = errors.New("the key material is not loaded")
	errNotSynced     = errors.New("the objects are not all known yet")
)

// decoy stands in for a client that does not exist, so that answering costs the same work.
var decoy = &credential.Client{ID: "decoy", UID: "decoy", Verifiers: credential.Verifiers{{}}}

// caller is the client that a request names, with the ID of the client secret that it has proved to have.
type caller struct {
	credential.Subject
	secretID string
}

// clientID is empty where the request names no client that exists.
func (c caller) clientID() string {
	if c.Client == nil {
		return ""
	}
	return c.Client.ID
}

// authenticate verifies the secret, then judges the client. Everything that fails here has one and the same answer, and
// costs the same: one digest for each reading of what was presented.
func (s *Service) authenticate(presented oauth.ClientAuthentication) (caller, error) {
	if !s.Directory.Synced() {
		return caller{}, oauth.ServerError(errNotSynced)
	}
	pepper, ok := s.Keys.Pepper()
	if !ok {
		return caller{}, oauth.ServerError(errNoKeys)
	}
	known, cause := caller{}, errUnknownClient
	for _, reading := range presented.Readings {
		subject, found := s.Directory.Subject(reading.ClientID)
		client := decoy
		if found {
			client, known, cause = subject.Client, caller{Subject: subject}, errWrongSecret
		}
		if secretID, ok := client.Verify(pepper, reading.Secret, s.Now()); ok && found {
			if err := s.Rules.Judge(subject); err != nil {
				return known, oauth.InvalidClient(err)
			}
			known.secretID = secretID
			return known, nil
		}
	}
	return known, oauth.InvalidClient(cause)
}
