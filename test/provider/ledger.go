// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"maps"
	"slices"
	"time"
)

// Outcome is what came of a presentation.
type Outcome string

const (
	// Accepted says that tokens were given for it, whether or not they arrived.
	Accepted Outcome = "accepted"
	// Refused says that it was dead.
	Refused Outcome = "refused"
	// Ignored says that the request failed before anything was done with the token.
	Ignored Outcome = "ignored"
)

// Presentation is one of a refresh token. It holds no secret.
type Presentation struct {
	// Token says which it was.
	Token   string
	At      time.Time
	Outcome Outcome
	// Fault is what went wrong with the request, or "".
	Fault string
	// Again says that it had been accepted before, of a token that is replaced when it is used.
	Again bool
}

// Presentations gives all of them, in order.
func (p *Provider) Presentations() []Presentation {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.ledger)
}

// PresentedAgain gives the presentations of refresh tokens that had been used before, of those that may be used once. Without a fault
// there must be none.
func (p *Provider) PresentedAgain() []Presentation {
	return slices.DeleteFunc(p.Presentations(), func(each Presentation) bool { return !each.Again })
}

// Accepted counts the presentations that tokens were given for.
func (p *Provider) Accepted() int {
	return len(slices.DeleteFunc(p.Presentations(), func(each Presentation) bool { return each.Outcome != Accepted }))
}

// note writes a presentation down. The lock is held.
func (p *Provider) note(presented *token, again bool, outcome Outcome, fault string) {
	p.ledger = append(p.ledger, Presentation{Token: presented.name, At: p.options.Now(), Outcome: outcome, Fault: fault, Again: again})
}

// Secrets are all that a provider has given, or was shown, and that nobody else may see.
type Secrets struct{ Codes, Verifiers, Access, Refresh []string }

// All gives them in one list.
func (s Secrets) All() []string { return slices.Concat(s.Codes, s.Verifiers, s.Access, s.Refresh) }

// GomegaString is what a failing test prints.
func (Secrets) GomegaString() string { return "secrets of a provider" }

// Secrets gives those of until now. A verifier is known once it was shown.
func (p *Provider) Secrets() Secrets {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return Secrets{
		Codes: slices.Sorted(maps.Keys(p.codes)), Verifiers: slices.Clone(p.verifiers),
		Access: slices.Sorted(maps.Keys(p.access)), Refresh: slices.Sorted(maps.Keys(p.refresh)),
	}
}
