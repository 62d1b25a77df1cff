// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// claims are what a token says of itself (RFC 9068 section 2.2). Nothing of it has been verified.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	ID       string   `json:"jti"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope"`
	Account  string   `json:"account"`
	Issued   *seconds `json:"iat"`
	Expires  *seconds `json:"exp"`

	// raw is the JSON that was read.
	raw json.RawMessage
	// keyID and algorithm are those of the header.
	keyID, algorithm string
}

// audience is a string or a list of strings (RFC 7519 section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if err := json.Unmarshal(raw, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a)) //nolint:wrapcheck // its caller says what this is about
}

// seconds is a NumericDate (RFC 7519 section 2).
type seconds float64

// lastSecond is that of the year 9999, after which RFC 3339 has no way to write a time.
const lastSecond seconds = 253402300799

// beyond reports whether no time can be made of it.
func (s seconds) beyond() bool { return s > lastSecond }

// moment says when that is.
func (s seconds) moment(now time.Time) string {
	if s.beyond() {
		return "beyond the year 9999"
	}
	return moment(s.time(), now)
}

func (s seconds) time() time.Time { return time.Unix(int64(s), 0).UTC() }

// clockError is how far the clock of this machine may be wrong before a token that is alive is thought to be dead.
const clockError = 24 * time.Hour

// longExpired reports whether the token has expired whatever the clock here says.
func (c claims) longExpired(now time.Time) bool {
	return c.Expires != nil && !c.Expires.beyond() && !c.Expires.time().Add(clockError).After(now)
}

// within gives the time, or the nearest at which the token says that it is good: the clock of this machine may be wrong, and
// whether a token is genuine does not depend on it.
func (c claims) within(now time.Time) time.Time {
	if c.Issued != nil && !c.Issued.beyond() && c.Issued.time().After(now) {
		return c.Issued.time()
	}
	if c.Expires != nil && !c.Expires.beyond() && !c.Expires.time().After(now) {
		return c.Expires.time().Add(-time.Second)
	}
	return now
}

// readClaims reads a JSON Web Token and believes all of it. Its errors never hold the token.
func readClaims(token string) (claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, errors.New("this is not a JSON Web Token: it does not have three parts")
	}
	var header struct {
		KeyID     string `json:"kid"`
		Algorithm string `json:"alg"`
	}
	if decode(parts[0], &header) != nil {
		return claims{}, errors.New("this is not a JSON Web Token: its header cannot be read")
	}
	var raw json.RawMessage
	var read claims
	if decode(parts[1], &raw) != nil || json.Unmarshal(raw, &read) != nil {
		return claims{}, errors.New("this is not a JSON Web Token: its claims cannot be read")
	}
	read.raw, read.keyID, read.algorithm = raw, header.KeyID, header.Algorithm
	return read, nil
}

// decode reads a part of a token: base64url without padding (RFC 7515 section 2), of a JSON object.
func decode(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return nil
}
