// SPDX-License-Identifier: Apache-2.0

// Package oauth is the vocabulary of OAuth 2.0: errors, scopes, and the ways in which a client and a bearer present
// themselves. It parses and judges syntax; it knows neither clients nor tokens, and no HTTP server.
package oauth

import (
	"errors"
	"fmt"
	"time"
)

// Error codes of RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1 and RFC 8707 section 2.
// temporarily_unavailable is of section 4.1.2.1, for lack of one that a token endpoint has for too many requests.
const (
	CodeInvalidRequest          = "invalid_request"
	CodeInvalidClient           = "invalid_client"
	CodeInvalidGrant            = "invalid_grant"
	CodeUnauthorizedClient      = "unauthorized_client"
	CodeUnsupportedGrantType    = "unsupported_grant_type"
	CodeUnsupportedResponseType = "unsupported_response_type"
	CodeInvalidScope            = "invalid_scope"
	CodeInvalidTarget           = "invalid_target"
	CodeInvalidToken            = "invalid_token"
	CodeInsufficientScope       = "insufficient_scope"
	CodeServerError             = "server_error"
	CodeTemporarilyUnavailable  = "temporarily_unavailable"
)

// Error is an OAuth error answer. Code and Description are for the client and hold nothing secret; the cause is for the
// log and never reaches a body.
type Error struct {
	Code        string
	Description string
	// RetryAfter is how long the client shall wait before it asks again (RFC 9110 section 10.2.3). Zero where waiting is no use.
	RetryAfter time.Duration
	cause      error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Description + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Description
}

// Unwrap gives the private cause, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Because gives the error a private cause.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.cause = cause
	return &with
}

// Is makes errors.Is compare by code, so that a caller need not know the description.
func (e *Error) Is(target error) bool {
	other := &Error{}
	return errors.As(target, &other) && other.Code == e.Code
}

// InvalidRequest: the request is malformed, or a parameter is missing, repeated or too long.
func InvalidRequest(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidRequest, Description: fmt.Sprintf(format, args...)}
}

// InvalidClient: client authentication failed. One text for every cause, so that an answer tells nobody which client
// IDs exist; the cause is for the audit log.
func InvalidClient(cause error) *Error {
	return &Error{Code: CodeInvalidClient, Description: "client authentication failed", cause: cause}
}

// InvalidGrant: the token in the request was issued to another client (RFC 6749 section 5.2, RFC 7009 section 2.1).
func InvalidGrant(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidGrant, Description: fmt.Sprintf(format, args...)}
}

// UnsupportedGrantType: the token endpoint knows only client_credentials.
func UnsupportedGrantType() *Error {
	return &Error{Code: CodeUnsupportedGrantType, Description: "grant_type must be client_credentials"}
}

// UnauthorizedClient: no client may have a user authorize it (RFC 6749 section 4.1.2.1).
func UnauthorizedClient() *Error {
	return &Error{Code: CodeUnauthorizedClient, Description: "no user can sign in here; use the client credentials grant at the token endpoint"}
}

// UnsupportedResponseType: the authorization endpoint knows only code (RFC 6749 section 4.1.2.1).
func UnsupportedResponseType() *Error {
	return &Error{Code: CodeUnsupportedResponseType, Description: "response_type must be code, and no client may use it; use the client credentials grant at the token endpoint"}
}

// InvalidScope: a scope is malformed, or nothing that was asked for can be granted.
func InvalidScope(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidScope, Description: fmt.Sprintf(format, args...)}
}

// InvalidTarget: a resource is unknown or not for this client (RFC 8707 section 2).
func InvalidTarget(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidTarget, Description: fmt.Sprintf(format, args...)}
}

// InvalidToken: a bearer token is expired, revoked, malformed or not meant for this place (RFC 6750 section 3.1).
// One text for every cause; the cause is for the audit log.
func InvalidToken(cause error) *Error {
	return &Error{Code: CodeInvalidToken, Description: "the access token is not valid here", cause: cause}
}

// InsufficientScope: the token is valid and does not reach this far (RFC 6750 section 3.1).
func InsufficientScope(format string, args ...any) *Error {
	return &Error{Code: CodeInsufficientScope, Description: fmt.Sprintf(format, args...)}
}

// retryAfterFailure is when a client shall ask again after a failure of ours.
const retryAfterFailure = 5 * time.Second

// ServerError: our own failure. The client may try again.
func ServerError(cause error) *Error {
	return &Error{Code: CodeServerError, Description: "the server could not complete the request; try again", RetryAfter: retryAfterFailure, cause: cause}
}

// TemporarilyUnavailable: a budget is spent, and asking again before that time is no use. The description is for the client,
// the cause for the audit log.
func TemporarilyUnavailable(retryAfter time.Duration, description, cause string) *Error {
	return &Error{Code: CodeTemporarilyUnavailable, Description: description, RetryAfter: retryAfter, cause: errors.New(cause)}
}
