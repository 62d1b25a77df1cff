// SPDX-License-Identifier: Apache-2.0

package keymaterial

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/keyring"
)

// Actions of events (what the controller did).
const (
	actionAdd    = "AddKey"
	actionRemove = "RemoveKey"
	actionCheck  = "CheckKeys"
)

// Reasons of events.
const (
	// reasonAdded: there is a new signing key, for now to be known.
	reasonAdded = "SigningKeyAdded"
	// reasonRemoved: a signing key has gone, because its last token has expired or because somebody has asked for it.
	reasonRemoved = "SigningKeyRemoved"
	// reasonFull: there are too many signing keys to add another.
	reasonFull = "SigningKeysFull"
	// reasonUnknown: a signing key that shall be removed has an ID that no key can have.
	reasonUnknown = "SigningKeyUnknown"
	// reasonDamaged: a Secret is not what it should be, and is left alone.
	reasonDamaged = "KeyMaterialDamaged"
)

// subject is what events are about: the Secret, also where it was made just now.
func (r *Reconciler) subject(current *corev1.Secret) *corev1.Secret {
	if current != nil {
		return current
	}
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = r.Namespace, v1alpha1.SigningKeysSecretName
	return secret
}

// tell records what was done. All keys of a kind are in one event: those that agree in all but the note count as one.
func (r *Reconciler) tell(secret *corev1.Secret, plan keyring.Plan) {
	for _, key := range plan.Added {
		r.Recorder.Eventf(secret, nil, corev1.EventTypeNormal, reasonAdded, actionAdd,
			"Published for %s, to sign from %s: %s", key.Algorithm, key.SignFrom.UTC().Format(time.RFC3339), key.ID)
	}
	if len(plan.Expired) > 0 {
		r.Recorder.Eventf(secret, nil, corev1.EventTypeNormal, reasonRemoved, actionRemove,
			"Removed, as every token signed with it has expired: %s", list(plan.Expired))
	}
	if len(plan.Removed) > 0 {
		r.Recorder.Eventf(secret, nil, corev1.EventTypeWarning, reasonRemoved, actionRemove,
			"Removed, as the annotation %s asks, and every token signed with it is dead: %s", v1alpha1.AnnotationRemoveKey, list(plan.Removed))
	}
	if plan.Full {
		r.Recorder.Eventf(secret, nil, corev1.EventTypeWarning, reasonFull, actionCheck,
			"A rotation is due, but there are %d signing keys; it comes when one of them has gone", len(plan.Document.Keys))
	}
}

// keyID is the form of a key's ID: a SHA-256 in base64url.
var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// tellUnknown tells of IDs that were mistyped. Others that no key has are those of keys that have gone.
func (r *Reconciler) tellUnknown(secret *corev1.Secret, request keyring.Request) {
	for _, id := range request.Remove {
		if !keyID.MatchString(id) {
			r.Recorder.Eventf(secret, nil, corev1.EventTypeWarning, reasonUnknown, actionRemove,
				"The annotation %s names what is no key ID, and nothing was removed for it: look again at what you have written", v1alpha1.AnnotationRemoveKey)
			return
		}
	}
}

// mostListed keeps the note of an event below the API's bound of 1024 bytes.
const mostListed = 16

func list(keys []keyring.Key) string {
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = key.ID
	}
	if more := len(ids) - mostListed; more > 0 {
		ids = append(ids[:mostListed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(ids, ", ")
}

// tellDamaged tells what is wrong with a Secret. The cause never holds what is in it.
func (r *Reconciler) tellDamaged(secret *corev1.Secret, cause error) {
	r.Recorder.Eventf(secret, nil, corev1.EventTypeWarning, reasonDamaged, actionCheck,
		"It is left alone; restore it, or delete it to have a new one made: %v", cause)
}
