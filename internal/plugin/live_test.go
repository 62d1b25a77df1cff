// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"
)

// TestNobody: what the user may not see is not said to be not there.
func TestNobody(t *testing.T) {
	for _, row := range []struct {
		name string
		now  live
		want string
	}{
		{"all namespaces were seen", live{namespace: "acme"}, "no credential has the client ID acme.orders"},
		{"one namespace was seen", live{namespace: "acme", partial: true}, "you see no credential of the client ID acme.orders"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.now.nobody("acme.orders"); !strings.HasPrefix(got, row.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestNoAccountName: what cannot name an account is not asked for; there is no API here that could be.
func TestNoAccountName(t *testing.T) {
	for _, name := range []string{"", "Acme", "a/b", ".."} {
		if err := (&live{}).readAccount(t.Context(), name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
