// SPDX-License-Identifier: Apache-2.0

package leak_test

import (
	"testing"

	"github.com/claviger/claviger/test/leak"
)

func TestHolds(t *testing.T) {
	const secret = "hunter2?>"
	for _, row := range []struct {
		name string
		text string
		want bool
	}{
		{"a text without the secret holds nothing", "[client secret] hunter", false},
		{"the secret in clear is found", "is hunter2?>!", true},
		{"the secret in hexadecimal is found", "68756e746572323f3e", true},
		{"the secret in upper-case hexadecimal is found", "68756E746572323F3E", true},
		{"the secret in base64 is found", "aHVudGVyMj8+", true},
		{"the secret in base64url is found", "aHVudGVyMj8-", true},
		{"the secret as a list of numbers is found", "{[104 117 110 116 101 114 50 63 62]}", true},
		{"the secret as a Go literal is found", "[]byte{0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0x32, 0x3f, 0x3e}", true},
		{"the secret in spaced hexadecimal is found", "68 75 6e 74 65 72 32 3f 3e", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := leak.Holds(row.text, secret); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestQuotes(t *testing.T) {
	const input = "eyJhbGciOiJFUzI1NiJ9"
	for _, row := range []struct {
		name string
		text string
		want bool
	}{
		{"another text quotes nothing", "the token is malformed", false},
		{"15 characters are no quote", "illegal: " + input[:15], false},
		{"16 characters are a quote", "illegal: " + input[4:20], true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := leak.Quotes(row.text, input); got != row.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
