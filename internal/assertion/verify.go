// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxLifetime is how far ahead the exp of an assertion may lie, clocks apart. As long as that, the assertion must be remembered
// lest it be used twice, and as long as that another replica, which does not remember it, would take one that was overheard. A
// client makes a new one for each request, so a minute is plenty; ten allow for clocks and libraries that are generous.
const MaxLifetime = 10 * time.Minute

// Expect is what an assertion must match.
type Expect struct {
	// ClientID is the client that it shall authenticate.
	ClientID string
	// Audiences of which it must name one.
	Audiences []string
	Now       time.Time
}

// Proof is what a good assertion proves.
type Proof struct {
	// ID is the jti, which its client must not use again before ExpiresAt.
	ID        string
	ExpiresAt time.Time
	// Thumbprint is that of the key.
	Thumbprint string
}

// ErrNoKey: none of the client's keys made the signature. It is one error whether or not there are keys, or such a client.
var ErrNoKey = errors.New("no key of the client verifies the assertion")

// Verify checks an assertion that a client has signed itself (RFC 7523 section 3, OpenID Connect Core 1.0 section 9). It checks,
// in this order:
//
//   - the form; alg is on the allow-list (never none, never symmetric); no critical extension; typ, where it is there, is JWT or
//     client-authentication+jwt, so that nothing else which the key has signed passes;
//   - iss and sub are the client;
//   - aud holds one of the audiences, byte for byte;
//   - exp is there, in the future, and at most MaxLifetime ahead, with a minute for clocks; nbf and iat, where they are there, lie
//     at most a minute in the future;
//   - jti is there;
//   - the signature is one of the client's keys', which is of the algorithm: the key that kid names, else any that has no name. An
//     assertion that none verifies costs MaxKeys verifications, whatever keys there are.
//
// It does not know whether the assertion was used before: see Replays.
func Verify(raw string, keys Keys, expect Expect) (Proof, error) {
	var claims jwt.RegisteredClaims
	jwt, err := parse(raw, &claims, "JWT", "client-authentication+jwt")
	if err != nil {
		return Proof{}, err
	}
	if claims.Issuer != expect.ClientID || claims.Subject != expect.ClientID {
		return Proof{}, errors.New("the assertion's iss and sub are not the client")
	}
	if err := isFor(claims, expect.Audiences...); err != nil {
		return Proof{}, err
	}
	if err := live(claims, expect.Now); err != nil {
		return Proof{}, err
	}
	switch {
	case claims.ExpiresAt.After(expect.Now.Add(MaxLifetime + maxClockSkew)):
		return Proof{}, fmt.Errorf("the assertion's exp is more than %s ahead", MaxLifetime)
	case claims.ID == "":
		return Proof{}, errors.New("the assertion has no jti")
	}
	key, found := jwt.signer(keys)
	if !found {
		return Proof{}, ErrNoKey
	}
	return Proof{ID: claims.ID, ExpiresAt: claims.ExpiresAt.Time, Thumbprint: key.Thumbprint}, nil
}

// signer finds the key that made the signature.
func (p parsed) signer(keys Keys) (Key, bool) {
	candidates := keys.candidates(p.kid, p.Method.Alg())
	for _, key := range candidates {
		if p.verifies(key.public) {
			return key, true
		}
	}
	for range MaxKeys - len(candidates) {
		p.verifies(decoy(p.Method.Alg(), len(p.Signature)))
	}
	return Key{}, false
}
