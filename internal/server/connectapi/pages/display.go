// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"strings"
	"unicode"
)

// longest is how many characters of a name are shown.
const longest = 200

// display makes a name harmless beside other text. Characters that change the direction of what follows, or break lines, would let a
// name rewrite the sentence that it stands in.
func display(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest]) + "…"
	}
	return strings.TrimSpace(name)
}
