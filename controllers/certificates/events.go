// SPDX-License-Identifier: Apache-2.0

package certificates

import (
	"crypto/x509"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/internal/pki"
)

// Actions of events (what the controller did).
const (
	actionIssue  = "IssueCertificate"
	actionRotate = "RotateAuthority"
	actionCheck  = "CheckCertificates"
)

// Reasons of events.
const (
	// reasonIssued: the token service has another certificate.
	reasonIssued = "CertificateIssued"
	// reasonMade: there is another authority, for now to be known.
	reasonMade = "AuthorityMade"
	// reasonSigns: another authority signs from now on.
	reasonSigns = "AuthoritySigns"
	// reasonRetired: clients need to trust an authority no more.
	reasonRetired = "AuthorityRetired"
	// reasonForeign: a Secret is somebody else's, and is used and left alone.
	reasonForeign = "ForeignCertificate"
	// reasonDamaged: a Secret is not what it should be, and is left alone.
	reasonDamaged = "KeyMaterialDamaged"
)

// subject is what events are about: the Secret, also where it was made just now.
func (f found) subject() *corev1.Secret {
	if f.Secret != nil {
		return f.Secret
	}
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = f.key.Namespace, f.key.Name
	return secret
}

// tell records what was done.
func (r *Reconciler) tell(authority, serving found, plan pki.Plan) {
	for _, made := range plan.Made {
		r.Recorder.Eventf(authority.subject(), nil, corev1.EventTypeNormal, reasonMade, actionRotate,
			"Made, and published for clients to trust; good until %s: %s", until(made.NotAfter), made.Subject.CommonName)
	}
	if plan.Promoted != nil {
		r.Recorder.Eventf(authority.subject(), nil, corev1.EventTypeNormal, reasonSigns, actionRotate,
			"Signs from now on: %s", plan.Promoted.Subject.CommonName)
	}
	if len(plan.Retired) > 0 {
		r.Recorder.Eventf(authority.subject(), nil, corev1.EventTypeNormal, reasonRetired, actionRotate,
			"Trusted no more, as every certificate that it signed has expired: %s", list(plan.Retired))
	}
	if plan.Issued != "" {
		certificate := plan.Serving.Certificate()
		r.Recorder.Eventf(serving.subject(), nil, corev1.EventTypeNormal, reasonIssued, actionIssue,
			"Issued (%s) by %s, good until %s", plan.Issued, certificate.Issuer.CommonName, until(certificate.NotAfter))
	}
}

func list(authorities []*x509.Certificate) string {
	var names []string
	for _, authority := range authorities {
		names = append(names, authority.Subject.CommonName)
	}
	return strings.Join(names[:min(len(names), 16)], ", ")
}

// leave tells, once, that a Secret is somebody else's.
func (r *Reconciler) leave(secret found) {
	if r.left[secret.key.Name] {
		return
	}
	if r.left == nil {
		r.left = map[string]bool{}
	}
	r.left[secret.key.Name] = true
	r.Recorder.Eventf(secret.subject(), nil, corev1.EventTypeNormal, reasonForeign, actionCheck,
		"It is somebody else's: it is used, and left alone. Whoever made it must renew it")
}

// tellDamaged tells what is wrong with a Secret. The cause never holds a key.
func (r *Reconciler) tellDamaged(secret found, cause error) {
	r.Recorder.Eventf(secret.subject(), nil, corev1.EventTypeWarning, reasonDamaged, actionCheck,
		"It is left alone; restore it, or delete it to have a new one made: %v", cause)
}
