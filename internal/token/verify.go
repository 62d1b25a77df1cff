// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/keyring"
)

// maxClockSkew is how far in the future a token's iat may lie: another replica's clock may be ahead of ours.
const maxClockSkew = time.Minute

// ErrFuture says that a token is refused now and may be a good one later: its issuer's clock is ahead of ours.
var ErrFuture = errors.New("iat is in the future")

// ErrUnknownKey says that no key of the ring has signed the token. A ring that was fetched a while ago may be behind.
var ErrUnknownKey = errors.New("no key of that kid and alg")

// errClaims says that the claims are not those of an access token of ours.
var errClaims = errors.New("its claims are not ours")

// Expect is what a token must match.
type Expect struct {
	Issuer string
	Now    time.Time
}

// Verify checks a token and gives its claims. It checks, in this order:
//
//   - the form: three parts of strict base64url, JSON header and claims;
//   - alg is on the allow-list (never none, never symmetric) and is the key's own;
//   - typ is at+jwt (RFC 9068 section 4);
//   - kid names a key of the ring, and the signature is that key's;
//   - exp is there and in the future, without leeway;
//   - iss is the one expected, byte for byte;
//   - iat is there and at most a minute in the future;
//   - aud, jti, client_id and incarnation are there, and sub is the client.
//
// It does not know what the token is wanted for, so aud is not compared, nor whether the client still exists; see package
// issuer. Its errors never hold the token.
func Verify(raw string, ring *keyring.Ring, expect Expect) (Claims, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods(keyring.Algorithms()),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(expect.Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return expect.Now }),
	)
	if strings.ContainsAny(raw, "\r\n") {
		// The decoder skips line breaks even when it is strict, so one token would have many spellings.
		return Claims{}, fmt.Errorf("verifying a token: %w", jwt.ErrTokenMalformed)
	}
	var wire wireClaims
	parsed, err := parser.ParseWithClaims(raw, &wire, func(parsed *jwt.Token) (any, error) { return verifyingKey(parsed, ring) })
	if err != nil {
		return Claims{}, fmt.Errorf("verifying a token: %w", redact(err))
	}
	switch {
	case wire.IssuedAt == nil:
		return Claims{}, fmt.Errorf("verifying a token: %w: iat is missing", errClaims)
	case wire.IssuedAt.After(expect.Now.Add(maxClockSkew)):
		return Claims{}, fmt.Errorf("verifying a token: %w", ErrFuture)
	case len(wire.Audience) == 0:
		return Claims{}, fmt.Errorf("verifying a token: %w: it is for nobody", jwt.ErrTokenInvalidAudience)
	case wire.ID == "" || wire.ClientID == "" || wire.Incarnation == "":
		return Claims{}, fmt.Errorf("verifying a token: %w: jti, client_id or incarnation is missing", errClaims)
	case wire.Subject != wire.ClientID:
		return Claims{}, fmt.Errorf("verifying a token: %w: sub is not the client", errClaims)
	}
	claims := wire.claims()
	claims.KeyID, _ = parsed.Header["kid"].(string)
	return claims, nil
}

func verifyingKey(parsed *jwt.Token, ring *keyring.Ring) (any, error) {
	if parsed.Header["typ"] != headerType {
		return nil, errors.New("typ is not " + headerType)
	}
	kid, _ := parsed.Header["kid"].(string)
	key, found := ring.Lookup(kid)
	if !found || key.Algorithm != parsed.Method.Alg() {
		return nil, ErrUnknownKey
	}
	return key.Public(), nil
}

// redact keeps the class of a parser's error and drops its text where that quotes the token.
func redact(err error) error {
	if errors.Is(err, jwt.ErrTokenMalformed) {
		return jwt.ErrTokenMalformed
	}
	return err
}
