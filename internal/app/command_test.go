// SPDX-License-Identifier: Apache-2.0

package app

import (
	"io"
	"strings"
	"testing"
)

// TestNoFlagIsAcceptedAndIgnored: what is no flag of a role is refused.
func TestNoFlagIsAcceptedAndIgnored(t *testing.T) {
	for _, args := range [][]string{
		{"token-service", "--tls"},
		{"token-service", "--issuer-ca-file=x"},
		{"manager", "--tls-cert-file=x"},
		{"manager", "--listen=x"},
		{"manager", "surplus"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			command := NewCommand()
			command.SetArgs(args)
			command.SetOut(io.Discard)
			command.SetErr(io.Discard)
			err := command.Execute()
			if err == nil || !strings.Contains(err.Error(), "unknown") {
				t.Errorf("got %v", err)
			}
		})
	}
}
