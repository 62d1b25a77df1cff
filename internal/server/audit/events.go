// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"strings"
	"time"
)

// Event is one line of the audit log. Each kind is a type that holds what may be logged of it and nothing else. No field ever holds
// a header, a token, a secret, or a parameter but the scopes that a guard needs of a token that is ours.
//
// A ClientID is that of a client that exists, because people paste secrets into the wrong field. Reason is why, in our own
// words; no error of the domain quotes what a client sent.
type Event interface {
	// message names the kind.
	message() string
	// fields are name, value pairs.
	fields() []any
}

// TokenIssued is a token that a client was given.
type TokenIssued struct {
	ClientID, TokenID, Account, Scope string
	// Audience is what the token is for.
	Audience               []string
	Lifetime               time.Duration
	Method, ServiceAccount string
}

func (TokenIssued) message() string { return "token issued" }

func (e TokenIssued) fields() []any {
	return []any{
		"clientID", e.ClientID, "tokenID", e.TokenID, "account", e.Account, "scope", e.Scope,
		"audience", strings.Join(e.Audience, " "), "lifetime", e.Lifetime.String(), "method", e.Method, "serviceAccount", e.ServiceAccount,
	}
}

// TokenRefused is a token request that was refused.
type TokenRefused struct{ Error, ClientID, Method, Reason string }

func (TokenRefused) message() string { return "token refused" }

func (e TokenRefused) fields() []any {
	return []any{"error", e.Error, "clientID", e.ClientID, "method", e.Method, "reason", e.Reason}
}

// TokenRevoked is a token that its client has revoked.
type TokenRevoked struct{ ClientID, TokenID, Method string }

func (TokenRevoked) message() string { return "token revoked" }

func (e TokenRevoked) fields() []any {
	return []any{"clientID", e.ClientID, "tokenID", e.TokenID, "method", e.Method}
}

// NothingToRevoke is a revocation of what nobody can use.
type NothingToRevoke struct{ ClientID, TokenID, Method, Reason string }

func (NothingToRevoke) message() string { return "nothing to revoke" }

func (e NothingToRevoke) fields() []any {
	return []any{"clientID", e.ClientID, "tokenID", e.TokenID, "method", e.Method, "reason", e.Reason}
}

// RevocationRefused is a revocation that was refused: the token lives.
type RevocationRefused struct{ Error, ClientID, TokenID, Method, Reason string }

func (RevocationRefused) message() string { return "revocation refused" }

func (e RevocationRefused) fields() []any {
	return []any{"error", e.Error, "clientID", e.ClientID, "tokenID", e.TokenID, "method", e.Method, "reason", e.Reason}
}

// TokenInactive is an introspection of a token that is not active, or that the caller may not know of.
type TokenInactive struct{ ClientID, ServiceAccount, TokenID, Method, Reason string }

func (TokenInactive) message() string { return "token not active" }

func (e TokenInactive) fields() []any {
	return []any{"clientID", e.ClientID, "serviceAccount", e.ServiceAccount, "tokenID", e.TokenID, "method", e.Method, "reason", e.Reason}
}

// IntrospectionRefused is an introspection whose caller was refused.
type IntrospectionRefused struct{ Error, ClientID, ServiceAccount, TokenID, Method, Reason string }

func (IntrospectionRefused) message() string { return "introspection refused" }

func (e IntrospectionRefused) fields() []any {
	return []any{"error", e.Error, "clientID", e.ClientID, "serviceAccount", e.ServiceAccount, "tokenID", e.TokenID, "method", e.Method, "reason", e.Reason}
}

// AccessDenied is a call that was denied. Resource is that of the guard, where there is one of that name.
type AccessDenied struct{ Error, ClientID, Needs, Resource, Reason string }

func (AccessDenied) message() string { return "access denied" }

func (e AccessDenied) fields() []any {
	return []any{"error", e.Error, "clientID", e.ClientID, "needs", e.Needs, "resource", e.Resource, "reason", e.Reason}
}

// AccessAllowed is a call that was admitted.
type AccessAllowed struct{ ClientID, Account, Scope string }

func (AccessAllowed) message() string { return "access allowed" }

func (e AccessAllowed) fields() []any {
	return []any{"clientID", e.ClientID, "account", e.Account, "scope", e.Scope}
}

// AccessEnded is a call that was admitted and then ended under way, at a gate.
type AccessEnded struct{ Error, ClientID, Needs, Resource, Reason string }

func (AccessEnded) message() string { return "access ended" }

func (e AccessEnded) fields() []any {
	return []any{"error", e.Error, "clientID", e.ClientID, "needs", e.Needs, "resource", e.Resource, "reason", e.Reason}
}

// SignInTokenIssued is a sign-in token that the host's backend was given.
type SignInTokenIssued struct{ ClientID, Account, User, Connection string }

func (SignInTokenIssued) message() string { return "sign-in token issued" }

func (e SignInTokenIssued) fields() []any {
	return []any{"clientID", e.ClientID, "account", e.Account, "user", e.User, "connection", e.Connection}
}

// SignInBegun is a user who was sent to an application.
type SignInBegun struct{ Account, User, Connection, Connector string }

func (SignInBegun) message() string { return "sign-in begun" }

func (e SignInBegun) fields() []any {
	return []any{"account", e.Account, "user", e.User, "connection", e.Connection, "connector", e.Connector}
}

// SignInEnded is a sign-in whose outcome the host was told. Without a Problem the account is connected.
type SignInEnded struct{ Account, User, Connection, Connector, Problem string }

func (SignInEnded) message() string { return "sign-in ended" }

func (e SignInEnded) fields() []any {
	return []any{"account", e.Account, "user", e.User, "connection", e.Connection, "connector", e.Connector, "problem", e.Problem}
}

// SignInRefused is a browser that was shown an error page.
type SignInRefused struct{ Problem, Reason string }

func (SignInRefused) message() string { return "sign-in refused" }

func (e SignInRefused) fields() []any { return []any{"problem", e.Problem, "reason", e.Reason} }

// SignInConfirmed is a sign-in that the host's backend has confirmed.
type SignInConfirmed struct{ ClientID, Account, Connection string }

func (SignInConfirmed) message() string { return "sign-in confirmed" }

func (e SignInConfirmed) fields() []any {
	return []any{"clientID", e.ClientID, "account", e.Account, "connection", e.Connection}
}

// TokensImported are tokens that the host's backend has handed over.
type TokensImported struct{ ClientID, Account, Connection string }

func (TokensImported) message() string { return "tokens imported" }

func (e TokensImported) fields() []any {
	return []any{"clientID", e.ClientID, "account", e.Account, "connection", e.Connection}
}

// Events has one of each kind.
func Events() []Event {
	return []Event{
		TokenIssued{},
		TokenRefused{},
		TokenRevoked{},
		NothingToRevoke{},
		RevocationRefused{},
		TokenInactive{},
		IntrospectionRefused{},
		AccessDenied{},
		AccessAllowed{},
		AccessEnded{},
		SignInTokenIssued{},
		SignInBegun{},
		SignInEnded{},
		SignInRefused{},
		SignInConfirmed{},
		TokensImported{},
	}
}
