// SPDX-License-Identifier: Apache-2.0

package connector

import (
	"errors"
	"fmt"
	"time"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/strictjson"
)

// MaxAuthValue bounds an AuthValue, in bytes.
const MaxAuthValue = 64 << 10

// AuthValue is what somebody else has obtained (docs/connect.md, "AuthValue").
type AuthValue struct {
	AccessToken, RefreshToken oauth.Secret
	// Expires and RefreshExpires are zero where the value does not say.
	Expires, RefreshExpires time.Time
	// Fingerprint names the content, byte for byte.
	Fingerprint string
}

// Empty reports whether the value is {}: the tokens shall be obtained with what is configured.
func (v AuthValue) Empty() bool {
	return v.AccessToken.Reveal() == "" && v.RefreshToken.Reveal() == ""
}

// errAuthValue is what ParseAuthValue fails with, with the key that is wrong. It quotes no value.
func errAuthValue(format string, args ...any) error {
	return fmt.Errorf("the AuthValue is not used: "+format, args...)
}

// ParseAuthValue reads a JSON object with AccessToken, RefreshToken, Expires and RefreshExpires, each of them optional, a string and
// of these exact names. Times are RFC 3339. Its errors name the key that is wrong and quote no value.
func ParseAuthValue(text []byte) (AuthValue, error) {
	if len(text) > MaxAuthValue {
		return AuthValue{}, errAuthValue("it has more than %d bytes", MaxAuthValue)
	}
	fields, err := strictjson.Strings(text)
	if err != nil {
		return AuthValue{}, errAuthValue("%w", err)
	}
	value := AuthValue{Fingerprint: Fingerprint(oauth.NewSecret(string(text)))}
	for key, field := range fields {
		switch key {
		case "AccessToken":
			value.AccessToken = oauth.NewSecret(field)
		case "RefreshToken":
			value.RefreshToken = oauth.NewSecret(field)
		case "Expires":
			value.Expires, err = timeOf(field)
		case "RefreshExpires":
			value.RefreshExpires, err = timeOf(field)
		default:
			return AuthValue{}, errAuthValue("it has the key %s, which there is not; there are AccessToken, RefreshToken, Expires and RefreshExpires", strictjson.Named(key))
		}
		if err != nil {
			return AuthValue{}, errAuthValue("%s is no time such as 2026-10-01T00:00:00Z", key)
		}
		if field == "" {
			return AuthValue{}, errAuthValue("%s is empty; leave it out", key)
		}
	}
	return value, value.check()
}

var errTime = errors.New("no time that an object could hold")

// timeOf reads a time that can stand in an object in any time zone, and is not the one that means that nothing is known.
func timeOf(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if year := at.UTC().Year(); err == nil && (at.IsZero() || year < 1 || year > 9998) {
		return time.Time{}, errTime
	}
	return at, err //nolint:wrapcheck // who asks says it anew: it quotes the text
}

// check refuses a time of a token that there is not.
func (v AuthValue) check() error {
	switch {
	case !v.Expires.IsZero() && v.AccessToken.Reveal() == "":
		return errAuthValue("Expires speaks of an AccessToken, and there is none")
	case !v.RefreshExpires.IsZero() && v.RefreshToken.Reveal() == "":
		return errAuthValue("RefreshExpires speaks of a RefreshToken, and there is none")
	default:
		return nil
	}
}
