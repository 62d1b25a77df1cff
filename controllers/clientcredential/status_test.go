// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/test/builder"
)

func TestConditions(t *testing.T) {
	const secret = "s3cret-that-an-error-quotes"
	refused := fmt.Errorf("creating: %w", apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "orders", errors.New(secret)))
	for _, row := range []struct {
		name  string
		known func(*scope)
		// want lists the conditions as Type=Status/Reason.
		want string
	}{
		{
			name:  "published: Ready",
			known: func(s *scope) { s.judged, s.published = true, true },
			want:  "Allowed=True/Allowed SecretPublished=True/Published Ready=True/Issued",
		},
		{
			name:  "not allowed for good: Stalled",
			known: func(s *scope) { s.judged, s.verdict = true, fault.Terminalf("ScopeNotAllowed", "no") },
			want:  "Allowed=False/ScopeNotAllowed SecretPublished=Unknown/NotAttempted Ready=False/ScopeNotAllowed Stalled=True/ScopeNotAllowed",
		},
		{
			name:  "not allowed for now: Reconciling",
			known: func(s *scope) { s.judged, s.verdict = true, fault.Waitingf("AccountNotFound", "no") },
			want:  "Allowed=False/AccountNotFound SecretPublished=Unknown/NotAttempted Ready=False/AccountNotFound Reconciling=True/AccountNotFound",
		},
		{
			name:  "a Secret in the way: Stalled",
			known: func(s *scope) { s.judged, s.publishErr = true, fault.Terminalf("SecretConflict", "no") },
			want:  "Allowed=True/Allowed SecretPublished=False/SecretConflict Ready=False/SecretConflict Stalled=True/SecretConflict",
		},
		{
			name:  "a write that was refused: Reconciling, as it is tried again",
			known: func(s *scope) { s.judged, s.publishErr = true, refused },
			want:  "Allowed=True/Allowed SecretPublished=False/WriteFailed Ready=False/WriteFailed Reconciling=True/WriteFailed",
		},
		{
			name:  "nothing learned: nothing said",
			known: func(*scope) {},
			want:  "",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScope(builder.ClientCredential("acme", "orders", builder.ForAccount("acme"), builder.Generation(7)))
			row.known(s)
			s.summarize(time.Unix(1_000_000, 0))
			var got []string
			for _, c := range s.object.Status.Conditions {
				got = append(got, fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason))
				if c.Message == "" || c.ObservedGeneration != 7 {
					t.Errorf("%s has message %q and generation %d", c.Type, c.Message, c.ObservedGeneration)
				}
				if strings.Contains(c.Message, secret) {
					t.Errorf("%s quotes the API server's error, which may quote an object", c.Type)
				}
			}
			if joined := strings.Join(got, " "); joined != row.want {
				t.Errorf("got  %s\nwant %s", joined, row.want)
			}
		})
	}
}

func TestAbnormalConditionsGoWhenTheyAreOver(t *testing.T) {
	s := newScope(builder.ClientCredential("acme", "orders"))
	s.judged, s.verdict = true, fault.Waitingf("AccountNotFound", "no")
	s.summarize(time.Unix(1, 0))
	s.verdict, s.published = nil, true
	s.summarize(time.Unix(2, 0))
	for _, c := range s.object.Status.Conditions {
		if c.Type == "Reconciling" || c.Type == "Stalled" {
			t.Errorf("%s is still there", c.Type)
		}
	}
}

// TestNotesFitIntoEvents: the API refuses a note beyond 1024 bytes, and the event would be lost.
func TestNotesFitIntoEvents(t *testing.T) {
	for name, row := range map[string]struct{ message, want string }{
		"a short message is told as it is":       {"spec.suspend is true", "spec.suspend is true"},
		"so is one that just fits":               {strings.Repeat("x", 1024), strings.Repeat("x", 1024)},
		"a longer one is cut":                    {strings.Repeat("x", 1025), strings.Repeat("x", 1021) + "..."},
		"never within a character of many bytes": {"x" + strings.Repeat("é", 1024), "x" + strings.Repeat("é", 510) + "..."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := note(row.message); got != row.want {
				t.Errorf("got %d bytes: %.20s...%s", len(got), got, got[max(0, len(got)-6):])
			}
		})
	}
}
