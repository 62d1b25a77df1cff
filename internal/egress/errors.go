// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Errors of a call. Each says what is wrong in words for people.
var (
	// ErrNotSent: not one byte of the request was sent, and none will be. It comes with one of the others.
	ErrNotSent = errors.New("nothing was sent")
	// ErrForbidden: the URL, or the address that its host has, is not one that may be called.
	ErrForbidden = errors.New("the destination is not allowed")
	// ErrUnresolved: the host's name has no address, or nobody could say which.
	ErrUnresolved = errors.New("the host's name is not resolved")
	// ErrUnreachable: there is no connection with the host, or no longer.
	ErrUnreachable = errors.New("there is no connection with the host")
	// ErrUntrusted: TLS with the host fails.
	ErrUntrusted = errors.New("TLS with the host fails")
	// ErrTimeout: it took too long.
	ErrTimeout = errors.New("there is no answer in time")
	// ErrBroken: what came is cut short, too large a header, or no HTTP.
	ErrBroken = errors.New("the answer breaks off or is no HTTP")
)

var errNoRoots = errors.New("the operator's file of certificates is not usable")

// refusal is an ErrForbidden, of which it says why.
type refusal struct{ why string }

func refuse(why string) error { return &refusal{why: why} }

func (r *refusal) Error() string { return ErrForbidden.Error() + ": " + r.why }

func (*refusal) Unwrap() error { return ErrForbidden }

// handshakeError is what ended a TLS handshake.
type handshakeError struct{ cause error }

func (*handshakeError) Error() string { return ErrUntrusted.Error() }

func (h *handshakeError) Unwrap() error { return h.cause }

// explain gives one of our errors for one of net/http, whose texts quote what the host said and the addresses that we have.
func explain(ctx context.Context, err error) error {
	var refused *refusal
	var handshake *handshakeError
	var name *net.DNSError
	var system syscall.Errno
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("the call was given up: %w", context.Canceled)
	case errors.As(err, &name):
		return unresolved(name)
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case errors.As(err, &handshake):
		return untrusted(handshake.cause)
	case errors.As(err, &system):
		return fmt.Errorf("%w: %w", ErrUnreachable, system)
	default:
		return ErrBroken
	}
}

func unresolved(name *net.DNSError) error {
	if name.IsNotFound {
		return fmt.Errorf("%w: there is no such name", ErrUnresolved)
	}
	return fmt.Errorf("%w: the name server does not answer, or not well", ErrUnresolved)
}

// untrusted says what is wrong with a certificate, where it is that.
func untrusted(cause error) error {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.Is(cause, errNoRoots):
		return fmt.Errorf("%w: %w", ErrUntrusted, errNoRoots)
	case errors.As(cause, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("%w: its certificate is of an unknown authority", ErrUntrusted)
	case errors.As(cause, new(x509.HostnameError)):
		return fmt.Errorf("%w: its certificate is for another host", ErrUntrusted)
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: its certificate has expired, or is not valid yet", ErrUntrusted)
	default:
		return ErrUntrusted
	}
}
