// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"
	"slices"

	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/oauth"
)

var (
	errUnknownResource = errors.New("no ProtectedResource has that URL")
	errForeignResource = errors.New("the client's tokens cannot be for that resource")
	errNoResource      = errors.New("none of the client's spec.resources can be used")
)

// ResourceAt finds a protected resource by its canonical URL.
type ResourceAt func(url string) (credential.ResourceSubject, bool)

// Audience gives aud of a token that is asked for without a resource: the issuer or, for a client that names resources itself, all
// of these that can be used. It fails with invalid_target where none can.
func (m Minter) Audience(client *credential.Client, at ResourceAt) ([]string, error) {
	if len(client.Resources) == 0 {
		return []string{m.Issuer}, nil
	}
	var audience []string
	for _, url := range client.Resources {
		if resource, err := m.target(client, url, at); err == nil && !slices.Contains(audience, resource.URL) {
			audience = append(audience, resource.URL)
		}
	}
	if len(audience) == 0 {
		return nil, unknownTarget(errNoResource)
	}
	return audience, nil
}

// audienceFor gives aud of a token that is asked for: the resources that the request names (RFC 8707 section 2), all of them or
// none, or what Audience says.
func (s *Service) audienceFor(client *credential.Client, asked []string) ([]string, error) {
	if len(asked) == 0 {
		return s.Audience(client, s.Directory.ResourceAt)
	}
	var audience []string
	for _, text := range asked {
		url, err := oauth.CanonicalResource(text)
		if err != nil {
			return nil, unknownTarget(err)
		}
		resource, err := s.target(client, url, s.Directory.ResourceAt)
		if err != nil {
			return nil, unknownTarget(err)
		}
		if !slices.Contains(audience, resource.URL) {
			audience = append(audience, resource.URL)
		}
	}
	return audience, nil
}

// unknownTarget has one text for every cause, so that an answer tells nobody which resources others have.
func unknownTarget(cause error) error {
	return oauth.InvalidTarget("there is no such resource for this client").Because(cause)
}

// target finds the resource of a canonical URL that a client's tokens may be for, and that the rules allow.
func (m Minter) target(client *credential.Client, url string, at ResourceAt) (*credential.Resource, error) {
	subject, found := at(url)
	switch {
	case !found:
		return nil, errUnknownResource
	case !client.MayHaveTokensFor(subject.Resource):
		return nil, errForeignResource
	default:
		return subject.Resource, m.Rules.JudgeResource(subject)
	}
}
