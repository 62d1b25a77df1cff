// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"time"
)

// Observed is what there is, and what shall be.
type Observed struct {
	// Authorities is what the Secret of the authority holds. Nil: there is none, and one is made.
	Authorities *Authorities
	// Foreign says that the authority is somebody else's: it signs, and is never changed.
	Foreign bool
	// Serving is the certificate that was made last. Nil: there is none that can be read.
	Serving *Serving
	// Names are the DNS names that it shall have; at least one.
	Names []string
	// Known is for how long whoever asks has seen the bundle of Serving as it is.
	Known time.Duration
	Now   time.Time
}

// Cause says why a serving certificate is issued.
type Cause string

// Causes of serving certificates.
const (
	// CauseMissing: there was none, or none that could be read.
	CauseMissing Cause = "Missing"
	// CauseInvalid: there was one that no client accepts, because of its time or its authority.
	CauseInvalid Cause = "Invalid"
	// CauseNames: other DNS names are asked for.
	CauseNames Cause = "Names"
	// CauseAuthority: another authority signs from now on.
	CauseAuthority Cause = "Authority"
	// CauseRenewal: two thirds of its life were over.
	CauseRenewal Cause = "Renewal"
)

// Plan is what shall be stored, the authorities first: whoever dies between the two writes leaves a certificate that is good.
type Plan struct {
	Authorities Authorities
	Serving     *Serving
	// Made has the authorities that are new, and Retired those that clients need to trust no more.
	Made, Retired []*x509.Certificate
	// Promoted is the authority that signs from now on, where there was one before; else nil.
	Promoted *x509.Certificate
	// Issued says why Serving is new; empty where it is not.
	Issued Cause
}

// ErrForeign says that an authority which is somebody else's to replace can sign nothing that anybody would accept.
var ErrForeign = errors.New("its certificate has ended, or has not begun")

// MakePlan says what becomes of authorities and certificate. It depends on nothing else, so that a manager can die at any time
// and another go on. Where nothing is due, it gives what there is.
func MakePlan(random io.Reader, observed Observed) (Plan, error) {
	d := &draft{Observed: observed, random: random}
	for _, step := range []func() error{d.found, d.promote, d.replace, d.succeed, d.serve} {
		if err := step(); err != nil {
			return Plan{}, err
		}
	}
	d.trust()
	return d.plan, nil
}

// draft is a plan in the making.
type draft struct {
	Observed
	random io.Reader
	plan   Plan
}

func (d *draft) current() *x509.Certificate { return d.plan.Authorities.Current.Certificate() }

// found takes up the authority that there is, or makes the first.
func (d *draft) found() error {
	if d.Authorities != nil {
		d.plan.Authorities = *d.Authorities
		return nil
	}
	var err error
	d.plan.Authorities.Current, err = d.newAuthority()
	return err
}

func (d *draft) newAuthority() (Authority, error) {
	authority, err := NewAuthority(d.random, d.Now)
	if err == nil {
		d.plan.Made = append(d.plan.Made, authority.Certificate())
	}
	return authority, err
}

// promote lets the next authority sign once it has been published for long enough, or the one before it is about to end. The key
// of that one is dropped: it has nothing to sign any more.
func (d *draft) promote() error {
	next := d.plan.Authorities.Next
	if next == nil || !d.isKnown(next.Certificate()) || !isValid(next.Certificate(), d.Now) {
		return nil
	}
	ends := d.current().NotAfter.Sub(d.Now)
	if d.Now.Before(made(next.Certificate()).Add(lead)) && ends > servingLife {
		return nil
	}
	d.plan.Authorities.Current, d.plan.Authorities.Next, d.plan.Promoted = *next, nil, next.Certificate()
	return nil
}

// isKnown reports whether an authority is published, and everybody has had the time to learn of it.
func (d *draft) isKnown(authority *x509.Certificate) bool {
	return d.Serving != nil && d.Known >= settling && slices.ContainsFunc(d.Serving.bundle, authority.Equal)
}

// replace gives up an authority that nobody can accept: it has ended, or a clock that was wrong has put its beginning into the
// future.
func (d *draft) replace() error {
	if isValid(d.current(), d.Now) {
		return nil
	}
	if d.Foreign {
		return ErrForeign
	}
	if next := d.plan.Authorities.Next; next != nil && isValid(next.Certificate(), d.Now) {
		d.plan.Authorities.Current, d.plan.Authorities.Next, d.plan.Promoted = *next, nil, next.Certificate()
		return nil
	}
	var err error
	d.plan.Authorities.Current, err = d.newAuthority()
	d.plan.Promoted = d.current()
	return err
}

// succeed makes the next authority when the end of the one that signs is near. One that has been made by a clock that was wrong
// has signed nothing, and can be replaced.
func (d *draft) succeed() error {
	next := d.plan.Authorities.Next
	due := !d.Foreign && d.current().NotAfter.Sub(d.Now) < successorBefore
	if !due || next != nil && isValid(next.Certificate(), d.Now) {
		return nil
	}
	authority, err := d.newAuthority()
	d.plan.Authorities.Next = &authority
	return err
}

// serve keeps the certificate, or issues another.
func (d *draft) serve() error {
	d.plan.Issued = d.due()
	if d.plan.Issued == "" {
		kept := *d.Serving
		d.plan.Serving = &kept
		return nil
	}
	var err error
	d.plan.Serving, err = d.plan.Authorities.Current.issue(d.random, d.Names, d.Now)
	return err
}

// due says why a certificate is to be issued now, or nothing. While the one that there is can be used, an authority that
// clients have yet to learn of signs none.
func (d *draft) due() Cause {
	switch {
	case d.Serving == nil:
		return CauseMissing
	case !isValid(d.Serving.Certificate(), d.Now) || len(d.anchors(d.Serving)) == 0:
		return CauseInvalid
	}
	certificate := d.Serving.Certificate()
	signs := certificate.CheckSignatureFrom(d.current()) == nil
	if !signs && !d.maySign(certificate) {
		return ""
	}
	end := d.Now.Add(servingLife)
	if authority := d.current().NotAfter; end.After(authority) {
		end = authority
	}
	switch {
	case !signs:
		return CauseAuthority
	case !sameNames(certificate.DNSNames, d.Names):
		return CauseNames
	case !d.Now.Before(renewAt(certificate)) && end.Sub(certificate.NotAfter) >= settling: // else nothing is gained
		return CauseRenewal
	default:
		return ""
	}
}

// maySign reports whether the authority may sign in the place of one whose certificate can still be used.
func (d *draft) maySign(certificate *x509.Certificate) bool {
	urgent := certificate.NotAfter.Sub(d.Now) < servingLife/4
	return d.isKnown(d.current()) && (urgent || !d.Now.Before(made(d.current()).Add(lead)))
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
