// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"errors"
	"fmt"
	"strings"
)

// MaxBearerLength bounds a bearer token, in bytes.
const MaxBearerLength = 8 << 10

// ErrNoToken: the request brought no bearer token, so the challenge must carry no error (RFC 6750 section 3.1).
var ErrNoToken = errors.New("no bearer token")

// ErrBadBearer: what came as a bearer token cannot be one.
var ErrBadBearer = errors.New("not a bearer token")

// ParseBearer takes the token from the values of the Authorization header (RFC 6750 section 2.1). It fails with
// ErrNoToken where there is none (no header, or another scheme), and with invalid_token where the header is repeated,
// or the token is empty, too long or not a b64token. Tokens in a query string or a body are not accepted: both end up
// in logs.
func ParseBearer(authorization []string) (string, error) {
	if len(authorization) == 0 {
		return "", ErrNoToken
	}
	if len(authorization) > 1 {
		return "", badBearer("more than one Authorization header")
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNoToken
	}
	token = strings.Trim(token, " ")
	if len(token) > MaxBearerLength {
		return "", badBearer("the token is too long")
	}
	if !isB64Token(token) {
		return "", badBearer("the token is not a b64token")
	}
	return token, nil
}

func badBearer(why string) *Error { return InvalidToken(fmt.Errorf("%w: %s", ErrBadBearer, why)) }

// isB64Token: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
func isB64Token(token string) bool {
	body := strings.TrimRight(token, "=")
	for i := range len(body) {
		if !b64token[body[i]] {
			return false
		}
	}
	return body != ""
}

// b64token has the bytes that a token may have before its padding. A table, because every token that is shown is looked through.
var b64token = func() (allowed [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/") {
		allowed[c] = true
	}
	return allowed
}()
