// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"
	"slices"
	"time"

	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/oauth"
)

// retryUnknownKey is when to come again with a ServiceAccount token whose key is being looked for: it takes a second or two.
const retryUnknownKey = 2 * time.Second

var (
	errNoClusterKeys     = errors.New("the API server's keys for ServiceAccount tokens are not known yet")
	errNoServiceAccounts = errors.New("ServiceAccount tokens are not accepted here")
	errOtherAccount      = errors.New("the ServiceAccount is none that may authenticate as the client")
)

// proveKey verifies an assertion that the client has signed. What is wrong with it costs the same for every client, and for one
// that does not exist.
func (s *Service) proveKey(presented oauth.ClientAuthentication) (caller, error) {
	var keys assertion.Keys
	subject, found := s.Directory.Subject(presented.Assertion.ClientID)
	known := caller{}
	if found {
		known.Subject, keys = subject, subject.Client.Keys
	}
	now := s.Now()
	proof, err := assertion.Verify(presented.Assertion.JWT.Reveal(), keys, assertion.Expect{
		ClientID:  presented.Assertion.ClientID,
		Audiences: slices.Compact([]string{s.Issuer, s.Issuer + oauth.PathToken, s.Issuer + presented.Endpoint}),
		Now:       now,
	})
	if err != nil {
		return known, oauth.InvalidClient(err)
	}
	known.secretID = proof.Thumbprint
	if known, err = s.judged(known); err != nil {
		return known, err
	}
	// Last, so that nothing but a good assertion is remembered, and only its client can fill the memory.
	err = s.Replays.Use(string(subject.Client.UID), proof, now)
	switch {
	case errors.Is(err, assertion.ErrTooMany):
		return known, oauth.TemporarilyUnavailable(assertion.MaxLifetime, "too many assertions that have not expired; sign for a shorter time", err.Error())
	case err != nil:
		return known, oauth.InvalidClient(err)
	}
	return known, nil
}

// proveServiceAccount verifies a ServiceAccount token, and then whether its ServiceAccount may authenticate as the client, where one
// is named. Whoever
// has no good token learns nothing of a client; who has one gets one and the same answer for all that are not its own.
func (s *Service) proveServiceAccount(presented oauth.Assertion) (caller, error) {
	subject, found := s.Directory.Subject(presented.ClientID)
	known := caller{}
	if found {
		known.Subject = subject
	}
	account, err := s.serviceAccount(presented.JWT)
	if err != nil {
		return known, err
	}
	known.serviceAccount = account
	switch {
	case presented.ClientID == "":
		return known, nil
	case !found:
		return known, oauth.InvalidClient(errUnknownClient)
	case !subject.Client.Trusts(account):
		return known, oauth.InvalidClient(errOtherAccount)
	}
	return s.judged(known)
}

// serviceAccount finds out whose token it is. It fails with invalid_client, or with server_error where the API server's keys are
// not known, or are looked at anew because of this token.
func (s *Service) serviceAccount(token oauth.Secret) (assertion.ServiceAccount, error) {
	if s.ClusterKeys == nil {
		return assertion.ServiceAccount{}, oauth.InvalidClient(errNoServiceAccounts)
	}
	cluster, ok := s.ClusterKeys.Cluster()
	if !ok {
		return assertion.ServiceAccount{}, oauth.ServerError(errNoClusterKeys)
	}
	account, err := cluster.Verify(token.Reveal(), s.Issuer, s.Now())
	if errors.Is(err, assertion.ErrUnknownKey) && s.ClusterKeys.Ask() {
		failure := oauth.ServerError(err)
		failure.RetryAfter = retryUnknownKey
		return account, failure
	}
	if err != nil {
		return account, oauth.InvalidClient(err)
	}
	return account, nil
}
