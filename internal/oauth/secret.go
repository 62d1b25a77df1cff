// SPDX-License-Identifier: Apache-2.0

package oauth

import "fmt"

// Secret is a client secret, a token or a code in clear. It prints, marshals and logs as a placeholder whatever the verb or encoder,
// so that it takes a deliberate Reveal to let it out.
//
// The value is held by a closure, because fmt calls no method on what stands in an unexported field or under a verb that
// it reports as wrong (%p, a stray %w): it prints the fields instead, and of a function no more than the address.
type Secret struct{ reveal func() string }

const redacted = "[secret]"

// NewSecret wraps a secret as soon as it is read.
func NewSecret(value string) Secret {
	return Secret{reveal: func() string { return value }}
}

// Reveal gives the secret in clear; the zero value is an empty one. Callers are digests, requests to whoever gave it,
// and the data of Secrets, nobody else.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Format implements fmt.Formatter for every verb.
func (Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// MarshalText implements encoding.TextMarshaler, which JSON and structured loggers use.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
