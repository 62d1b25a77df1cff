// SPDX-License-Identifier: Apache-2.0

package leak_test

import (
	"fmt"
	"slices"
	"strings"
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

func TestFind(t *testing.T) {
	secrets := []string{"-----BEGIN KEY-----one", "-----BEGIN KEY-----two", "correct horse battery"}
	for _, row := range []struct{ name, text, want string }{
		{"a text without a secret holds nothing", "-----BEGIN KEY-----three, correct horse", ""},
		{"an empty text holds nothing", "", ""},
		{"a secret is found that begins like another", "is -----BEGIN KEY-----two", secrets[1]},
		{"a secret is found at the beginning", secrets[2] + " staple", secrets[2]},
		{"a secret is found in another form", "68 65 6c 6c 6f " + strings.Trim(fmt.Sprintf("%d", []byte(secrets[0])), "[]"), secrets[0]},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := leak.Find(row.text, slices.Values(secrets)); got != row.want {
				t.Errorf("got %q", got)
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
