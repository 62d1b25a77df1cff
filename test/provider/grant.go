// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"errors"
	"fmt"
	"time"
)

// Grant is what a user has given to the client.
type Grant struct {
	id    int
	scope string
	ended bool
	// refresh is the live refresh token, and before the one that it has replaced. Nil where there is none.
	refresh, before *token
	issued          int
}

// token is one that was given.
type token struct {
	value string
	// name says which it is, and nothing of its value.
	name    string
	grant   *Grant
	expires time.Time // zero: never
	usedAt  time.Time // zero: not yet
}

// Tokens are what the client has of a grant.
type Tokens struct {
	Access, Refresh string
	Expires         time.Time
	Scope           string
	lifetime        time.Duration
}

// GomegaString is what a failing test prints.
func (t Tokens) GomegaString() string {
	return "tokens that expire at " + t.Expires.Format(time.RFC3339)
}

// Give makes a grant, as if a user had signed in, and gives its tokens.
func (p *Provider) Give(scope string) Tokens {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.issue(p.newGrant(scope))
}

func (p *Provider) newGrant(scope string) *Grant {
	grant := &Grant{id: len(p.grants) + 1, scope: scope}
	p.grants = append(p.grants, grant)
	return grant
}

// issue gives an access token of the grant, and its refresh token, which is made where there is none.
func (p *Provider) issue(grant *Grant) Tokens {
	if grant.refresh == nil {
		p.rotate(grant)
	}
	tokens := p.issueAccess(grant)
	tokens.Refresh = grant.refresh.value
	return tokens
}

func (p *Provider) issueAccess(grant *Grant) Tokens {
	access := grant.newToken("access")
	access.expires = p.options.Now().Add(p.options.Lifetime)
	p.access[access.value] = access
	return Tokens{Access: access.value, Expires: access.expires, Scope: grant.scope, lifetime: p.options.Lifetime}
}

func (p *Provider) rotate(grant *Grant) {
	grant.before, grant.refresh = grant.refresh, grant.newToken("refresh")
	p.refresh[grant.refresh.value] = grant.refresh
}

func (g *Grant) newToken(kind string) *token {
	g.issued++
	return &token{value: random(kind), name: fmt.Sprintf("%s token %d of grant %d", kind, g.issued, g.id), grant: g}
}

// errRefused is invalid_grant.
var errRefused = errors.New("invalid_grant")

// use takes a refresh token as the rotation says.
func (p *Provider) use(presented *token) (Tokens, error) {
	now := p.options.Now()
	grant := presented.grant
	switch {
	case grant.ended:
		return Tokens{}, errRefused
	case presented == grant.refresh:
		if presented.usedAt.IsZero() {
			presented.usedAt = now
		}
		if p.options.Rotation != Keeps {
			p.rotate(grant)
		}
		return p.issue(grant), nil
	case p.forgives(presented):
		return p.issue(grant), nil
	case p.options.Rotation != SingleUse:
		grant.ended = true
	}
	return Tokens{}, errRefused
}

func (p *Provider) forgives(presented *token) bool {
	return p.options.Rotation == Forgives && presented == presented.grant.before && p.options.Now().Before(presented.usedAt.Add(p.options.Grace))
}

// AccessLive reports whether an access token is good now.
func (p *Provider) AccessLive(access string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.accessLive(access)
}

// AccessLeft gives how long an access token is good from now on. One that is dead has nothing left.
func (p *Provider) AccessLeft(access string) time.Duration {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.accessLive(access) {
		return 0
	}
	return p.access[access].expires.Sub(p.options.Now())
}

func (p *Provider) accessLive(access string) bool {
	found := p.access[access]
	return found != nil && !found.grant.ended && p.options.Now().Before(found.expires)
}

// RefreshLive reports whether a refresh token would be taken if it were presented now.
func (p *Provider) RefreshLive(refresh string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	found := p.refresh[refresh]
	return found != nil && !found.grant.ended && (found == found.grant.refresh || p.forgives(found))
}
