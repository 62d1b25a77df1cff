// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"time"

	"github.com/claviger/claviger/internal/oauth"
)

// Outcome is what is known of a token request once it is over.
type Outcome int

const (
	// Granted: the provider gave tokens.
	Granted Outcome = iota + 1
	// NotSent: nothing of the request left, so the provider has not seen it.
	NotSent
	// Busy: the provider says that it did nothing, and may do it later: 429, or temporarily_unavailable.
	Busy
	// GrantRefused: invalid_grant. What was presented is dead (RFC 6749 section 5.2).
	GrantRefused
	// ClientRefused: the provider does not take the client, or its request: invalid_client, unauthorized_client, invalid_scope,
	// invalid_request, unsupported_grant_type. What was presented may well be alive.
	ClientRefused
	// Unclear: the provider may have done what it was asked for, and may not: no answer in time, one cut short, 5xx, nonsense.
	Unclear
)

// Answer is what came of a token request. It holds no text of the provider, which may quote anything.
type Answer struct {
	Outcome Outcome
	// Tokens are set where the outcome is Granted.
	Tokens Tokens
	// Code is the OAuth error where it is one of the RFC's, or "".
	Code string
	// Why says in our own words what happened, for people. Empty where it is Granted.
	Why string
	// Away says that the provider's host has not answered, or has answered that it cannot: the next one who asks will fare the same.
	Away bool
	// RetryAfter is how long the provider asks to be left alone. Zero where it does not say.
	RetryAfter time.Duration
}

// Tokens are those that a provider gives (RFC 6749 section 5.1).
type Tokens struct {
	Access oauth.Secret
	// Refresh is empty where the provider gave none: the one that was presented goes on.
	Refresh oauth.Secret
	// Type is token_type as it came.
	Type string
	// Scope is what was granted. Empty where the provider does not say: what was asked for.
	Scope string
	// Lifetime is expires_in. Zero where the provider does not say: nothing is known of it then.
	Lifetime time.Duration
	// RefreshLifetime is how long the refresh token lives (refresh_expires_in, refresh_token_expires_in; no RFC has it). Zero where
	// the provider does not say.
	RefreshLifetime time.Duration
}
