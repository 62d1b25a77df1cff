// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/pki"
)

func TestTheFirstCertificates(t *testing.T) {
	c := newCluster(t)
	plan := c.look()
	if len(plan.Made) != 1 || plan.Promoted != nil || plan.Issued != pki.CauseMissing || len(plan.Retired) != 0 {
		t.Errorf("got %d authorities, promoted %v, issued %q", len(plan.Made), plan.Promoted, plan.Issued)
	}
	authority, leaf := c.signer(), c.leaf()
	public, ok := authority.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() || !authority.IsCA || authority.MaxPathLen != 0 || !authority.MaxPathLenZero {
		t.Errorf("the authority is %T, %v, path %d", authority.PublicKey, authority.IsCA, authority.MaxPathLen)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("the certificate is for %v %v", leaf.KeyUsage, leaf.ExtKeyUsage)
	}
	if !leaf.NotAfter.Equal(noon.Add(90*day)) || !leaf.NotBefore.Equal(noon.Add(-30*day)) {
		t.Errorf("it is good from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if !authority.NotAfter.Equal(noon.Add(3650 * day)) {
		t.Errorf("the authority ends at %v", authority.NotAfter)
	}
	if !pki.MadeHere(leaf) || !pki.MadeHere(authority) {
		t.Error("they do not say who has made them")
	}
	for _, name := range names {
		if err := accepts(c.serving["ca.crt"], c.serving["tls.crt"], name, noon); err != nil {
			t.Error(err)
		}
	}
	if accepts(c.serving["ca.crt"], c.serving["tls.crt"], "auth.example.com", noon) == nil {
		t.Error("it is good for a name that nobody asked for")
	}
}

func TestNothingIsWrittenWhenNothingIsDue(t *testing.T) {
	c := newCluster(t)
	c.look()
	authority, serving := c.authority, c.serving
	for _, plan := range c.pass(59) {
		if plan.Issued != "" || plan.Made != nil || plan.Promoted != nil || plan.Retired != nil {
			t.Fatalf("got %+v", plan)
		}
	}
	if !sameData(c.authority, authority) || !sameData(c.serving, serving) {
		t.Error("something was written")
	}
}

// TestWhatIsDone has what is done on one look, with a certificate that is ten days old where nothing else is said.
func TestWhatIsDone(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*cluster)
		want   pki.Cause
		// made and promoted say what becomes of authorities.
		made     int
		promoted bool
	}{
		{name: "nothing has changed", change: func(*cluster) {}},
		{name: "a third of its life is left", change: func(c *cluster) { c.now = noon.Add(60 * day) }, want: pki.CauseRenewal},
		{name: "a little more than a third is left", change: func(c *cluster) { c.now = noon.Add(60*day - time.Second) }},
		{name: "it has expired", change: func(c *cluster) { c.now = noon.Add(90 * day) }, want: pki.CauseInvalid},
		{name: "it is deleted", change: func(c *cluster) { c.serving = nil }, want: pki.CauseMissing},
		{name: "its key is cut short", change: func(c *cluster) { c.serving["tls.key"] = c.serving["tls.key"][:40] }, want: pki.CauseMissing},
		{name: "its key is another's", change: func(c *cluster) { c.serving["tls.key"] = c.authority["tls.key"] }, want: pki.CauseMissing},
		{name: "its bundle is gone", change: func(c *cluster) { c.serving["ca.crt"] = nil }},
		{name: "another name is asked for", change: func(c *cluster) { c.names = append(slices.Clone(names), "auth.example.com") }, want: pki.CauseNames},
		{name: "a name is no longer asked for", change: func(c *cluster) { c.names = names[:1] }, want: pki.CauseNames},
		{name: "the same names in another order", change: func(c *cluster) { c.names = []string{names[1], names[0]} }},
		{name: "the clock is two weeks behind", change: func(c *cluster) { c.now = noon.Add(-14 * day) }},
		{name: "the clock is a year behind", change: func(c *cluster) { c.now = noon.Add(-365 * day) }, want: pki.CauseInvalid, made: 1, promoted: true},
		{name: "the authority is deleted", change: func(c *cluster) { c.authority = nil }, made: 1},
		{name: "everything is deleted", change: func(c *cluster) { c.authority, c.serving = nil, nil }, want: pki.CauseMissing, made: 1},
		{
			name:   "the authority is deleted, and nobody can tell which one it was",
			change: func(c *cluster) { c.authority, c.serving["ca.crt"] = nil, nil }, want: pki.CauseInvalid, made: 1,
		},
		{name: "the authority is about to end", change: func(c *cluster) {
			c.now = noon.Add(3650*day - 365*day + time.Second)
			c.serving = nil
		}, want: pki.CauseMissing, made: 1},
		{name: "the authority has ended", change: func(c *cluster) { c.now = noon.Add(3650 * day) }, want: pki.CauseInvalid, made: 1, promoted: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCluster(t)
			c.look()
			c.now = noon.Add(10 * day)
			before := c.leaf()
			row.change(c)
			plan := c.look()
			if plan.Issued != row.want || len(plan.Made) != row.made || (plan.Promoted != nil) != row.promoted {
				t.Errorf("issued %q, made %d, promoted %v", plan.Issued, len(plan.Made), plan.Promoted != nil)
			}
			if (plan.Issued == "") != c.leaf().Equal(before) {
				t.Error("what it says and what it does differ")
			}
			if err := accepts(c.serving["ca.crt"], c.serving["tls.crt"], names[0], c.now); err != nil {
				t.Error(err)
			}
			authority, serving := c.authority, c.serving
			if again := c.look(); again.Issued != "" || !sameData(c.authority, authority) || !sameData(c.serving, serving) {
				t.Errorf("the second look wrote: issued %q", again.Issued)
			}
		})
	}
}

func TestTheNextAuthorityIsKnownBeforeItSigns(t *testing.T) {
	c := newCluster(t)
	c.look()
	first := c.signer()
	c.now = first.NotAfter.Add(-365 * day)
	c.look()
	if c.authority["next.crt"] != nil {
		t.Fatal("it is made too early")
	}
	c.pass(1)
	next := certificates(t, c.authority["next.crt"])[0]
	published := c.now
	if !slices.ContainsFunc(c.bundle(), next.Equal) || !slices.ContainsFunc(c.bundle(), first.Equal) {
		t.Fatal("both are to be trusted")
	}
	for !c.signer().Equal(next) {
		if c.leaf().CheckSignatureFrom(next) == nil {
			t.Fatal("it signs before its time")
		}
		c.pass(1)
	}
	if waited := c.now.Sub(published); waited != 30*day {
		t.Errorf("it signs after %v", waited)
	}
	if c.leaf().CheckSignatureFrom(next) != nil || c.authority["next.crt"] != nil || bytes.Contains(c.authority["tls.key"], c.authority["next.key"]) && c.authority["next.key"] != nil {
		t.Error("the switch is not complete")
	}
	if err := accepts(encodedCertificate(first), c.serving["tls.crt"], names[0], c.now); err == nil {
		t.Error("the old one has signed it")
	}
	switched, retired := c.now, time.Time{}
	for range 200 {
		for _, plan := range c.pass(1) {
			if len(plan.Retired) > 0 {
				retired = c.now
			}
		}
	}
	if kept := retired.Sub(switched); kept < 90*day || kept > 150*day {
		t.Errorf("the old one is trusted for %v", kept)
	}
	if len(c.bundle()) != 1 {
		t.Errorf("%d authorities are trusted", len(c.bundle()))
	}
}

func encodedCertificate(certificate *x509.Certificate) []byte {
	return encodePEM("CERTIFICATE", certificate.Raw)
}

// TestAManagerThatWasAwayTellsClientsFirst: however long ago the authority was made, clients may not have heard of it.
func TestAManagerThatWasAwayTellsClientsFirst(t *testing.T) {
	c := newCluster(t)
	c.look()
	first := c.signer()
	c.now = first.NotAfter.Add(-364 * day)
	c.look()
	c.now = c.now.Add(60 * day)
	c.known = 59 * time.Minute
	if plan := c.look(); plan.Promoted != nil || c.leaf().CheckSignatureFrom(first) != nil {
		t.Error("it signs, and clients may not know it")
	}
	c.known = time.Hour
	if plan := c.look(); plan.Promoted == nil || plan.Issued != pki.CauseAuthority {
		t.Error("everybody knows it, and it does not sign")
	}
}

// TestADeletedAuthorityIsTrustedUntilItsCertificatesAreDead: the certificate that it signed last goes on, and the new authority
// signs once clients know it.
func TestADeletedAuthorityIsTrustedUntilItsCertificatesAreDead(t *testing.T) {
	c := newCluster(t)
	c.look()
	c.pass(45)
	first, deleted := c.signer(), c.now
	c.authority = nil
	plan := c.look()
	if plan.Issued != "" || len(plan.Made) != 1 || len(c.bundle()) != 2 {
		t.Fatalf("issued %q, made %d, %d trusted", plan.Issued, len(plan.Made), len(c.bundle()))
	}
	for c.leaf().CheckSignatureFrom(first) == nil {
		c.pass(1)
	}
	if waited := c.now.Sub(deleted); waited < 20*day || waited > 30*day {
		t.Errorf("the new one signs after %v", waited)
	}
	c.pass(60)
	if len(c.bundle()) != 2 {
		t.Error("the old one is given up while its certificate may be about")
	}
	c.pass(100)
	if len(c.bundle()) != 1 {
		t.Error("the old one is trusted for ever")
	}
}

// TestCrashBetweenTheTwoWrites: the authorities are stored, and the certificate is the old one.
func TestCrashBetweenTheTwoWrites(t *testing.T) {
	for _, row := range []struct {
		name  string
		until func(*cluster)
	}{
		{"at the start", func(*cluster) {}},
		{"when the next authority is made", func(c *cluster) { c.look(); c.now = c.signer().NotAfter.Add(-364 * day); c.serving = nil }},
		{"when it is to sign", func(c *cluster) {
			c.look()
			c.now = c.signer().NotAfter.Add(-364 * day)
			c.look()
			c.now = c.now.Add(30 * day)
		}},
		{"when the old one is given up", func(c *cluster) {
			c.look()
			c.now = c.signer().NotAfter.Add(-364 * day)
			c.look()
			c.pass(149)
			c.now = c.now.Add(day)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCluster(t)
			row.until(c)
			plan, err := c.plan()
			if err != nil {
				t.Fatal(err)
			}
			if stored := encoded(t, plan.Authorities); sameData(stored, c.authority) {
				t.Fatal("nothing is to be written, so this test proves nothing")
			} else {
				c.authority = stored // and here it dies
			}
			if c.serving != nil {
				if err := accepts(c.serving["ca.crt"], c.serving["tls.crt"], names[0], c.now); err != nil {
					t.Error(err)
				}
			}
			c.known = 0
			c.look()
			if err := accepts(c.serving["ca.crt"], c.serving["tls.crt"], names[0], c.now); err != nil {
				t.Error(err)
			}
			c.known = time.Hour
			c.look()
			if c.leaf().CheckSignatureFrom(c.signer()) != nil {
				t.Error("the next manager did not go on")
			}
		})
	}
}
