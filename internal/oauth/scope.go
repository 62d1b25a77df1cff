// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"slices"
	"strings"
)

// MaxScopeLength bounds the scope parameter, in bytes.
const MaxScopeLength = 4096

// Scopes is a set of scope-tokens (RFC 6749 section 3.3) in the order in which they were written.
type Scopes []string

// ParseScopes reads a scope parameter: scope-tokens separated by single blanks. More blanks, and repeated tokens, are
// forgiven, as the order and the number of tokens have no meaning. An empty string is an empty set.
// It fails with invalid_scope on a character that RFC 6749 does not allow, or above MaxScopeLength.
func ParseScopes(parameter string) (Scopes, error) {
	if len(parameter) > MaxScopeLength {
		return nil, InvalidScope("scope is longer than %d bytes", MaxScopeLength)
	}
	var scopes Scopes
	for token := range strings.SplitSeq(parameter, " ") {
		if token == "" {
			continue
		}
		if !isScopeToken(token) {
			return nil, InvalidScope("scope has a character that RFC 6749 section 3.3 does not allow")
		}
		if !scopes.Has(token) {
			scopes = append(scopes, token)
		}
	}
	return scopes, nil
}

// isScopeToken: 1*( %x21 / %x23-5B / %x5D-7E ).
func isScopeToken(token string) bool {
	for i := range len(token) {
		if c := token[i]; c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return token != ""
}

// String gives the scope parameter that ParseScopes reads.
func (s Scopes) String() string { return strings.Join(s, " ") }

// Has reports whether the set holds the token. Scope-tokens are case-sensitive.
func (s Scopes) Has(token string) bool { return slices.Contains(s, token) }

// HasAll reports whether the set holds every one of the others.
func (s Scopes) HasAll(others Scopes) bool {
	for _, token := range others {
		if !s.Has(token) {
			return false
		}
	}
	return true
}

// Intersect gives the tokens of s that the other set holds too, in the order of s. Where that is all of them, it is s itself.
func (s Scopes) Intersect(other Scopes) Scopes {
	if other.HasAll(s) {
		return s
	}
	var both Scopes
	for _, token := range s {
		if other.Has(token) {
			both = append(both, token)
		}
	}
	return both
}
