// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"

	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
)

// Reasons why a token or a client is refused, beside those of condition Allowed and those of package token. There are few, and no
// caller chooses one, so that metrics can have them as a label.
const (
	ReasonUnknownClient = "UnknownClient"
	ReasonWrongSecret   = "WrongSecret"
	ReasonNotReady      = "NotReady"
	ReasonRevoked       = "Revoked"
	ReasonTokensRevoked = "TokensRevoked"
	ReasonSecretEnded   = "SecretEnded"
	ReasonAccountGone   = "AccountGone"
	ReasonOtherLife     = "OtherLife"
	ReasonOtherLevel    = "OtherLevel"
	ReasonOtherAccount  = "OtherAccount"
	ReasonScopeMissing  = "ScopeMissing"
	ReasonBadGuard      = "BadGuard"
	// ReasonOther is any that has no name of its own.
	ReasonOther = "Other"
)

// refusal is an error with one of these reasons.
type refusal struct{ reason, text string }

func (r *refusal) Error() string { return r.text }

func refuse(reason, text string) error { return &refusal{reason: reason, text: text} }

// insufficient is a refusal that the caller is told in full.
func insufficient(reason, text string) error {
	return oauth.InsufficientScope("%s", text).Because(refuse(reason, text))
}

// BadGuard is what everybody gets at a place whose guard makes no sense, whatever token they bring.
func BadGuard(text string) error { return insufficient(ReasonBadGuard, text) }

// Reason gives the reason why a token or a client was refused: one of the constants of this package, of package token, or of
// condition Allowed.
func Reason(err error) string {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.reason
	}
	if found, ok := fault.As(err); ok {
		return found.Reason
	}
	if errors.Is(err, oauth.ErrBadBearer) {
		return token.ReasonMalformed
	}
	if reason := token.Reason(err); reason != "" {
		return reason
	}
	return ReasonOther
}
