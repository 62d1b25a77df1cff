// SPDX-License-Identifier: Apache-2.0

// Package leak tells tests whether a text gives something away.
package leak

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Forms gives the ways in which a secret may show in a text: in clear, in hexadecimal, in base64, or as a list of bytes.
func Forms(secret string) []string {
	return []string{
		secret,
		hex.EncodeToString([]byte(secret)),
		strings.ToUpper(hex.EncodeToString([]byte(secret))),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]"),
		strings.Trim(fmt.Sprintf("%#v", []byte(secret)), "[]byte{}"),
		strings.Trim(fmt.Sprintf("% x", secret), " "),
	}
}

// Holds reports whether a text holds a secret, in any of its forms.
func Holds(text, secret string) bool {
	return slices.ContainsFunc(Forms(secret), func(form string) bool { return strings.Contains(text, form) })
}

// MinLength is the length of the shortest secret that Find looks for, in bytes. Shorter texts would be found everywhere.
const MinLength = 16

// Find gives a secret that a text holds, in any of its forms, or "". It looks through the text once, however many secrets there
// are. Each must have MinLength.
func Find(text string, secrets iter.Seq[string]) string {
	type form struct{ text, secret string }
	byBeginning := map[string][]form{}
	for secret := range secrets {
		for _, text := range Forms(secret) {
			byBeginning[text[:MinLength]] = append(byBeginning[text[:MinLength]], form{text, secret})
		}
	}
	for i := 0; i+MinLength <= len(text); i++ {
		for _, form := range byBeginning[text[i:i+MinLength]] {
			if strings.HasPrefix(text[i:], form.text) {
				return form.secret
			}
		}
	}
	return ""
}

// Quotes reports whether a text has 16 characters in a row, without a blank, from an input. No word of our own messages is
// that long.
func Quotes(text, input string) bool {
	const length = 16
	for i := 0; i+length <= len(text); i++ {
		window := text[i : i+length]
		if !strings.Contains(window, " ") && strings.Contains(input, window) {
			return true
		}
	}
	return false
}
