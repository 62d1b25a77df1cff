// SPDX-License-Identifier: Apache-2.0

package keymaterial

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/keyring"
)

func TestRequested(t *testing.T) {
	for _, row := range []struct {
		name        string
		annotations map[string]string
		rotation    string
		remove      []string
	}{
		{name: "no annotations ask for nothing"},
		{name: "empty ones ask for nothing", annotations: map[string]string{v1alpha1.AnnotationRotate: "", v1alpha1.AnnotationRemoveKey: " , "}},
		{name: "any value asks for a rotation", annotations: map[string]string{v1alpha1.AnnotationRotate: "a, b"}, rotation: "a, b"},
		{name: "one key", annotations: map[string]string{v1alpha1.AnnotationRemoveKey: "a"}, remove: []string{"a"}},
		{name: "several keys", annotations: map[string]string{v1alpha1.AnnotationRemoveKey: "a,b, c\n d,"}, remove: []string{"a", "b", "c", "d"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			secret := &corev1.Secret{}
			secret.Annotations = row.annotations
			got := requested(secret)
			if got.Rotation != row.rotation || !slices.Equal(got.Remove, row.remove) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if got := requested(nil); got.Rotation != "" || len(got.Remove) != 0 {
		t.Errorf("a Secret that there is not asks for %+v", got)
	}
}

// TestEventsFit: the API refuses notes of more than 1024 bytes, and the event would be lost.
func TestEventsFit(t *testing.T) {
	keys := make([]keyring.Key, keyring.MaxKeys)
	for i := range keys {
		keys[i].ID = fmt.Sprintf("%043d", i)
	}
	if got := list(keys[:2]); got != keys[0].ID+", "+keys[1].ID {
		t.Errorf("got %q", got)
	}
	if got := list(keys); len(got) > 900 || !strings.HasSuffix(got, ", and 240 more") {
		t.Errorf("got %d bytes: %q", len(got), got)
	}
}
