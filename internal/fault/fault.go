// SPDX-License-Identifier: Apache-2.0

// Package fault sorts what can go wrong into three kinds, so that each is turned into a condition, a retry or an answer
// in one place: terminal (a human must change something), waiting (it may come right by itself), and every other error
// (back off and try again).
package fault

import (
	"errors"
	"fmt"
)

// Kind says who can put a fault right.
type Kind int

const (
	// Terminal faults stay until a human changes something. Retrying is pointless.
	Terminal Kind = iota + 1
	// Waiting faults go away when something else happens that is being watched.
	Waiting
)

// Fault is an error with a reason for a condition (one of the Reason constants of the API) and a message for people.
// Neither ever holds a secret.
type Fault struct {
	Kind    Kind
	Reason  string
	Message string
	cause   error
}

// Terminalf makes a terminal fault.
func Terminalf(reason, format string, args ...any) *Fault {
	return newFault(Terminal, reason, format, args)
}

// Waitingf makes a waiting fault.
func Waitingf(reason, format string, args ...any) *Fault {
	return newFault(Waiting, reason, format, args)
}

// newFault keeps an argument of %w as the cause, as fmt.Errorf does.
func newFault(kind Kind, reason, format string, args []any) *Fault {
	err := fmt.Errorf(format, args...)
	return &Fault{Kind: kind, Reason: reason, Message: err.Error(), cause: errors.Unwrap(err)}
}

func (f *Fault) Error() string { return f.Reason + ": " + f.Message }

// Unwrap gives the cause, if there is one.
func (f *Fault) Unwrap() error { return f.cause }

// As finds the Fault in an error's chain.
func As(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}
