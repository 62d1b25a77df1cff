// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

var (
	errOtherAudience = refuse(token.ReasonOtherAudience, "the token is for another place")
	errElsewhere     = refuse(token.ReasonOtherAudience, "the client's tokens are good only at the resources that it names")
)

// ResourceNeed gives what a registered place needs, by its name "<namespace>/<name>", for a call that concerns these accounts. It
// fails with insufficient_scope where there is no such place, because its guard is wrong, or with server_error.
func (s *Service) ResourceNeed(name string, accounts ...string) (Need, error) {
	subject, found := s.Directory.Resource(name)
	switch {
	case !found && !s.Directory.Synced():
		return Need{}, oauth.ServerError(errNotSynced)
	case !found:
		return Need{}, BadGuard("the guard of this place names a ProtectedResource that there is not")
	}
	resource := subject.Resource
	need := Need{Scopes: resource.Scopes, Accounts: accounts, Resource: resource}
	if !resource.ConsoleLevel() {
		need.Accounts = append([]string{resource.AccountID}, accounts...)
	}
	if err := s.Rules.JudgeResource(subject); err != nil {
		need.closed = oauth.InsufficientScope("no token is good here at present").Because(err)
	}
	return need, nil
}

// ResourceMetadata describes a registered place (RFC 9728 section 2). One that the rules do not allow has no description: a client
// that followed it would be refused a token, and try again and again. It fails with server_error.
func (s *Service) ResourceMetadata(name string) (oauth.ResourceMetadata, bool, error) {
	need, err := s.ResourceNeed(name)
	switch {
	case errors.Is(err, &oauth.Error{Code: oauth.CodeServerError}):
		return oauth.ResourceMetadata{}, false, err
	case err != nil, need.Closed():
		return oauth.ResourceMetadata{}, false, nil //nolint:nilerr // documented: not to be there is an answer
	}
	return oauth.ResourceMetadata{
		Resource:             need.Resource.URL,
		AuthorizationServers: []string{s.Issuer},
		Scopes:               need.Scopes,
		BearerMethods:        oauth.BearerMethods(),
		Name:                 need.Resource.DisplayName,
		Documentation:        need.Resource.DocumentationURL,
	}, true, nil
}

// admitAudience: a token for resources is good at these alone, and one for none in particular wherever no resource is named or
// required. What the client names now counts for the tokens that it has taken before, too.
func (m Minter) admitAudience(found standing, need Need) error {
	resource := need.Resource
	general := found.claims.IsFor(m.Issuer)
	switch {
	case resource == nil && len(found.client.Resources) > 0, resource != nil && !found.client.Names(resource):
		return oauth.InvalidToken(errElsewhere)
	case resource == nil && !general, resource != nil && !found.claims.IsFor(resource.URL) && (!general || resource.RequireAudience):
		return oauth.InvalidToken(errOtherAudience)
	default:
		return nil
	}
}
