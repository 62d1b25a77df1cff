// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Ownership says what a Secret is to an owner.
type Ownership int

const (
	// Foreign Secrets are somebody else's and are never touched.
	Foreign Ownership = iota
	// Earlier Secrets belong to an earlier object of the owner's kind and name: one that was deleted a moment ago, or in the
	// cluster that a backup was taken of, or whose Secret was to be retained.
	Earlier
	// Own Secrets are the owner's.
	Own
)

// OwnershipOf looks at the owner reference or, where there is none, at the annotation that stands in for it. Somebody who
// writes either may write the Secret, and so has all that is in it.
func OwnershipOf(secret, owner client.Object, kind string) Ownership {
	name, uid, ok := ownerOf(secret, kind)
	switch {
	case !ok || name != owner.GetName():
		return Foreign
	case uid == owner.GetUID():
		return Own
	default:
		return Earlier
	}
}

// OwnerNames gives the name of the object of a kind that a Secret belongs to, or has belonged to: an index over Secrets.
func OwnerNames(secret client.Object, kind string) []string {
	if name, _, ok := ownerOf(secret, kind); ok {
		return []string{name}
	}
	return nil
}

// IsPublished reports whether a Secret is one that Claviger has published for the owner under the very name that it has, and that
// nobody else controls since. A copy that somebody has made, with labels, annotations and owner reference and all, is not.
func IsPublished(secret, owner client.Object, kind string) bool {
	if ref := metav1.GetControllerOf(secret); ref != nil && ref.UID != owner.GetUID() {
		return false
	}
	return secret.GetAnnotations()[v1alpha1.AnnotationOwner] == ownerAnnotation(secret.GetName(), owner, kind)
}

// ownerOf gives name and UID of the owner of that kind. An owner of another kind is not one.
func ownerOf(secret client.Object, kind string) (name string, uid types.UID, ok bool) {
	if ref := metav1.GetControllerOf(secret); ref != nil {
		return ref.Name, ref.UID, ref.APIVersion == v1alpha1.GroupVersion.String() && ref.Kind == kind
	}
	parts := strings.Split(secret.GetAnnotations()[v1alpha1.AnnotationOwner], "/")
	if len(parts) != 4 || parts[0] != kind || parts[3] != secret.GetName() {
		return "", "", false
	}
	return parts[1], types.UID(parts[2]), true
}

// ownerAnnotation is what ownerOf reads.
func ownerAnnotation(secretName string, owner client.Object, kind string) string {
	return strings.Join([]string{kind, owner.GetName(), string(owner.GetUID()), secretName}, "/")
}
