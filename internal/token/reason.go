// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// Reasons why Verify refuses a token.
const (
	ReasonMalformed = "Malformed"
	// ReasonUnverifiable: no key of ours, or not an access token.
	ReasonUnverifiable  = "Unverifiable"
	ReasonBadSignature  = "BadSignature"
	ReasonExpired       = "Expired"
	ReasonOtherIssuer   = "OtherIssuer"
	ReasonOtherAudience = "OtherAudience"
	ReasonFuture        = "IssuedInTheFuture"
)

// Reason gives the reason of an error of Verify, one of few; empty for any other error.
func Reason(err error) string {
	for _, known := range []struct {
		err    error
		reason string
	}{
		{ErrFuture, ReasonFuture},
		{jwt.ErrTokenMalformed, ReasonMalformed},
		{jwt.ErrTokenUnverifiable, ReasonUnverifiable},
		{jwt.ErrTokenSignatureInvalid, ReasonBadSignature},
		{jwt.ErrTokenExpired, ReasonExpired},
		{jwt.ErrTokenInvalidIssuer, ReasonOtherIssuer},
		{jwt.ErrTokenInvalidAudience, ReasonOtherAudience},
		{jwt.ErrTokenInvalidClaims, ReasonMalformed},
		{errClaims, ReasonMalformed},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return ""
}
