// SPDX-License-Identifier: Apache-2.0

package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/claviger/claviger/internal/fault"
)

func TestFault(t *testing.T) {
	for _, row := range []struct {
		name    string
		made    *fault.Fault
		kind    fault.Kind
		message string
		text    string
		cause   error
	}{
		{
			name: "a terminal fault says what a human must change",
			made: fault.Terminalf("Suspended", "spec.%s is true", "suspend"),
			kind: fault.Terminal, message: "spec.suspend is true", text: "Suspended: spec.suspend is true",
		},
		{
			name: "a waiting fault says what is waited for",
			made: fault.Waitingf("AccountNotFound", "Account %s does not exist", "acme"),
			kind: fault.Waiting, message: "Account acme does not exist", text: "AccountNotFound: Account acme does not exist",
		},
		{
			name: "an argument of %w is the cause and part of the message",
			made: fault.Terminalf("InvalidSelector", "spec.namespaces.selector: %w", io.ErrUnexpectedEOF),
			kind: fault.Terminal, message: "spec.namespaces.selector: unexpected EOF",
			text: "InvalidSelector: spec.namespaces.selector: unexpected EOF", cause: io.ErrUnexpectedEOF,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.made.Kind != row.kind || row.made.Message != row.message || row.made.Error() != row.text {
				t.Errorf("got kind %d, message %q, text %q", row.made.Kind, row.made.Message, row.made.Error())
			}
			if cause := errors.Unwrap(row.made); cause != row.cause { //nolint:errorlint // exactly the cause, not one in its chain
				t.Errorf("got cause %v, want %v", cause, row.cause)
			}
		})
	}
}

func TestAs(t *testing.T) {
	made := fault.Waitingf("KeysNotReady", "soon")
	for _, row := range []struct {
		name string
		err  error
		want *fault.Fault
	}{
		{name: "nil holds no fault"},
		{name: "another error holds no fault", err: io.EOF},
		{name: "a fault is found", err: made, want: made},
		{name: "a wrapped fault is found", err: fmt.Errorf("reconciling: %w", made), want: made},
		{name: "a joined fault is found", err: errors.Join(io.EOF, made), want: made},
	} {
		t.Run(row.name, func(t *testing.T) {
			found, ok := fault.As(row.err)
			if ok != (row.want != nil) || found != row.want {
				t.Errorf("got %v, %v", found, ok)
			}
		})
	}
}
