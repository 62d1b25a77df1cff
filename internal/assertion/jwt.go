// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxClockSkew is how far the clock of whoever signed may be ahead of ours.
const maxClockSkew = time.Minute

// parsed is a JWT whose form is good and whose signature was not verified.
type parsed struct {
	*jwt.Token
	signed string
	kid    string
}

// parse reads a JWT: three parts of strict base64url, JSON header and claims, an algorithm of the list, no critical extension (RFC
// 7515 section 4.1.11), and no type but those given. An absent one is fine: RFC 7523 asks for none. Errors never quote the JWT.
func parse(raw string, claims jwt.Claims, types ...string) (parsed, error) {
	if strings.ContainsAny(raw, "\r\n") { // which the decoder skips even when it is strict
		return parsed{}, errors.New("the assertion is not a JWT")
	}
	token, parts, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(raw, claims)
	switch {
	case errors.Is(err, jwt.ErrTokenUnverifiable):
		return parsed{}, errors.New("the assertion's alg is not accepted")
	case err != nil:
		return parsed{}, errors.New("the assertion is not a JWT")
	case !slices.Contains(Algorithms(), token.Method.Alg()):
		return parsed{}, errors.New("the assertion's alg is not accepted")
	}
	if _, critical := token.Header["crit"]; critical {
		return parsed{}, errors.New("the assertion has critical extensions")
	}
	if typ, given := token.Header["typ"]; given {
		text, _ := typ.(string)
		if !slices.ContainsFunc(types, func(known string) bool { return strings.EqualFold(known, text) }) {
			return parsed{}, errors.New("the assertion is a JWT of another type")
		}
	}
	kid, _ := token.Header["kid"].(string)
	return parsed{Token: token, signed: parts[0] + "." + parts[1], kid: kid}, nil
}

func (p parsed) verifies(key any) bool { return p.Method.Verify(p.signed, p.Signature, key) == nil }

// live checks the times of a JWT: exp is there and in the future, without leeway; nbf and iat, where they are there, lie at most a
// minute in the future.
func live(claims jwt.RegisteredClaims, now time.Time) error {
	switch {
	case claims.ExpiresAt == nil:
		return errors.New("the assertion has no exp")
	case !now.Before(claims.ExpiresAt.Time):
		return errors.New("the assertion has expired")
	case claims.NotBefore != nil && claims.NotBefore.After(now.Add(maxClockSkew)):
		return errors.New("the assertion is not valid yet")
	case claims.IssuedAt != nil && claims.IssuedAt.After(now.Add(maxClockSkew)):
		return errors.New("the assertion is from the future")
	}
	return nil
}

// isFor checks that the audience holds one of those.
func isFor(claims jwt.RegisteredClaims, audiences ...string) error {
	for _, audience := range claims.Audience {
		if slices.Contains(audiences, audience) {
			return nil
		}
	}
	return fmt.Errorf("the assertion is for another audience than %s", strings.Join(audiences, " or "))
}
