// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"

	"github.com/claviger/claviger/api/v1alpha1"
)

// TestRotateDryRun: a dry run of the client has what would be sent in the object, and sends nothing: there is no API here.
func TestRotateDryRun(t *testing.T) {
	s, _ := testSession()
	rotate, object := &rotateCommand{session: s, dryRun: dryRun{mode: dryRunClient}}, orders()
	if err := rotate.request(t.Context(), nil, object); err != nil {
		t.Fatal(err)
	}
	if got := object.Annotations[v1alpha1.AnnotationRotate]; got != "2026-11-24T12:00:00Z" {
		t.Errorf("got %q", got)
	}
}
