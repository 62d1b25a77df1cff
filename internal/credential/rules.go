// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
)

// Rules are the operator's settings that decide over credentials.
type Rules struct {
	// ConsoleNamespaces may hold console-level credentials.
	ConsoleNamespaces []string
	// MaxTokenLifetime bounds the lifetime of every token. Zero: only the API's own bound.
	MaxTokenLifetime time.Duration
}

// IsConsole reports whether a namespace may hold console-level credentials.
func (r Rules) IsConsole(namespace string) bool {
	return slices.Contains(r.ConsoleNamespaces, namespace)
}

// Subject is a client with all that its verdict depends on.
type Subject struct {
	Client    *Client
	Namespace Namespace
	// Account is nil where the client has none, or it does not exist.
	Account *Account
	// Rival is a client of the same ID that outranks this one, or nil.
	Rival *Client
}

// Judge says whether the credential may be used. The manager shows the verdict as the condition Allowed, and the token
// service enforces it on every token request and every use of a token: there is no other place where these rules
// stand. It checks, in this order: the object is neither being deleted nor suspended; no other has its client ID; a console-level client stands in
// a namespace that may have one; the account exists, names the namespace, and is active; every scope is of the
// client's level and, for an account, one of the account's.
// Its error is a fault with a reason of condition Allowed.
func (r Rules) Judge(s Subject) error {
	switch {
	case s.Client.deleting:
		return fault.Waitingf(v1alpha1.ReasonDeleting, "the credential is being deleted")
	case s.Client.suspended:
		return fault.Terminalf(v1alpha1.ReasonSuspended, "spec.suspend is true")
	case s.Rival != nil:
		return fault.Terminalf(v1alpha1.ReasonClientIDConflict, "client ID %s belongs to %s", s.Client.ID, describeRival(s))
	case s.Client.ConsoleLevel():
		return r.judgeConsole("a credential without accountRef is console-level and", s.Namespace, s.Client.Scopes)
	default:
		return judgeAccount(s.Client.AccountID, s.Account, s.Namespace, s.Client.Scopes)
	}
}

// describeRival names the other object only to those who can see it.
func describeRival(s Subject) string {
	return describe("ClientCredential", s.Rival.Namespace == s.Namespace.Name)
}

func describe(kind string, visible bool) string {
	if visible {
		return "another " + kind + " of this namespace"
	}
	return "a " + kind + " of another namespace"
}

// JudgeResource says whether the protected resource may be used, as Judge does of a credential and with the same rules: it is
// neither being deleted nor suspended; no other has its URL; one of type API stands in a namespace that may have one; the account
// exists, names the namespace, and is active; every scope is one of the account's.
// Its error is a fault with a reason of condition Allowed.
func (r Rules) JudgeResource(s ResourceSubject) error {
	switch {
	case s.Resource.deleting:
		return fault.Waitingf(v1alpha1.ReasonDeleting, "the resource is being deleted")
	case s.Resource.suspended:
		return fault.Terminalf(v1alpha1.ReasonSuspended, "spec.suspend is true")
	case s.Rival != nil:
		return fault.Terminalf(v1alpha1.ReasonResourceConflict, "the URL belongs to %s",
			describe("ProtectedResource", s.Rival.Namespace == s.Namespace.Name))
	case s.Resource.ConsoleLevel():
		return r.judgeConsole("a resource of type API", s.Namespace, s.Resource.Scopes)
	default:
		return judgeAccount(s.Resource.AccountID, s.Account, s.Namespace, s.Resource.Scopes)
	}
}

// TokenLifetime is the lifetime of the subject's next token: what the credential names, else the Account's default, else
// DefaultTokenExpiryMinutes; at most the Account's maximum, and the operator's. The manager shows it in the status, and the
// token service issues tokens with it.
func (r Rules) TokenLifetime(s Subject) time.Duration {
	var account Account
	if s.Account != nil {
		account = *s.Account
	}
	lifetime := cmp.Or(s.Client.tokenLifetime, account.defaultTokenLifetime, minutes(DefaultTokenExpiryMinutes))
	for _, bound := range []time.Duration{account.maxTokenLifetime, r.MaxTokenLifetime} {
		if bound > 0 {
			lifetime = min(lifetime, bound)
		}
	}
	return lifetime
}

func (r Rules) judgeConsole(what string, namespace Namespace, scopes oauth.Scopes) error {
	if !r.IsConsole(namespace.Name) {
		return fault.Terminalf(v1alpha1.ReasonConsoleNotAllowed, "%s may stand only in: %s", what, strings.Join(r.ConsoleNamespaces, ", "))
	}
	for _, scope := range scopes {
		if scope != string(v1alpha1.ScopeAPI) {
			return fault.Terminalf(v1alpha1.ReasonScopeNotAllowed,
				"scope %s needs accountRef; the console level has only %s", scope, v1alpha1.ScopeAPI)
		}
	}
	return nil
}

func judgeAccount(id string, account *Account, namespace Namespace, scopes oauth.Scopes) error {
	switch {
	case account == nil:
		return fault.Waitingf(v1alpha1.ReasonAccountNotFound, "Account %s does not exist", id)
	case !account.Holds(namespace): // before anything else is told about an account that may be somebody else's
		return fault.Terminalf(v1alpha1.ReasonNamespaceNotAllowed,
			"Account %s does not allow namespace %s; see its spec.namespaces", id, namespace.Name)
	case !account.Active():
		return fault.Terminalf(v1alpha1.ReasonAccountSuspended, "Account %s is suspended", id)
	}
	for _, scope := range scopes {
		if !account.scopes.Has(scope) {
			return fault.Terminalf(v1alpha1.ReasonScopeNotAllowed,
				"scope %s is not one of Account %s: %s", scope, id, strings.Join(sets.List(account.scopes), ", "))
		}
	}
	return nil
}

func invalidSelector(err error) error {
	return fault.Terminalf(v1alpha1.ReasonInvalidSelector, "spec.namespaces.selector: %w", err)
}
