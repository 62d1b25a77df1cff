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

// TestVersion: the command and the flag tell the same.
func TestVersion(t *testing.T) {
	var told [2]strings.Builder
	for i, arg := range []string{"version", "--version"} {
		command := NewCommand()
		command.SetArgs([]string{arg})
		command.SetOut(&told[i])
		if err := command.Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if told[0].String() != told[1].String() || !strings.HasPrefix(told[0].String(), "claviger ") || !strings.Contains(told[0].String(), ", commit ") {
		t.Errorf("the command %q, the flag %q", told[0].String(), told[1].String())
	}
}
