// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// candidates are all authorities that there are and were, each once.
func (d *draft) candidates() []*x509.Certificate {
	var all []*x509.Certificate
	add := func(certificates ...*x509.Certificate) {
		for _, certificate := range certificates {
			if !slices.ContainsFunc(all, certificate.Equal) {
				all = append(all, certificate)
			}
		}
	}
	if own := d.plan.Authorities.Current.chain; isRoot(own[0]) || len(d.plan.Authorities.trusted) == 0 {
		add(own[0]) // of an authority below another, clients shall trust that one
	}
	if next := d.plan.Authorities.Next; next != nil {
		add(next.Certificate())
	}
	add(d.plan.Authorities.trusted...)
	if d.Serving != nil {
		add(d.Serving.bundle...)
	}
	return all
}

// anchors are the authorities by which a client may verify a certificate.
func (d *draft) anchors(serving *Serving) []*x509.Certificate {
	var anchors []*x509.Certificate
	for _, candidate := range d.candidates() {
		if serving.verify([]*x509.Certificate{candidate}, d.Now) == nil {
			anchors = append(anchors, candidate)
		}
	}
	return anchors
}

// trust puts together what clients shall trust: the authority that signs, the one that will, and those whose certificates may
// still be about. A token service that nothing reaches goes on with the certificate that it has.
func (d *draft) trust() {
	// What the authority before has signed is dead by then, and a month more.
	retired := !d.Now.Before(made(d.current()).Add(lead + servingLife + backdate))
	needed := d.anchors(d.plan.Serving)
	if d.Serving != nil {
		needed = append(needed, d.anchors(d.Serving)...)
	}
	var bundle []*x509.Certificate
	for _, candidate := range d.candidates() {
		ours := candidate.Equal(d.current()) || d.plan.Authorities.Next != nil && candidate.Equal(d.plan.Authorities.Next.Certificate())
		given := d.Foreign && slices.ContainsFunc(d.plan.Authorities.trusted, candidate.Equal)
		lives := d.Now.Before(candidate.NotAfter) && !retired
		if ours || given || lives || slices.ContainsFunc(needed, candidate.Equal) {
			bundle = append(bundle, candidate)
		} else {
			d.plan.Retired = append(d.plan.Retired, candidate)
		}
	}
	slices.SortFunc(bundle, func(a, b *x509.Certificate) int {
		if order := b.NotBefore.Compare(a.NotBefore); order != 0 {
			return order
		}
		return bytes.Compare(a.Raw, b.Raw)
	})
	d.plan.Authorities.trusted, d.plan.Serving.bundle = bundle, slices.Clone(bundle)
}
