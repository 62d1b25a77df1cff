// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
)

// noon is the time at which every test takes place.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// said is what a run of the plugin left behind.
type said struct {
	code     int
	out, err string
}

// run runs the plugin without a cluster.
func run(t *testing.T, input string, args ...string) said {
	t.Helper()
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	streams, in, out, errOut := genericiooptions.NewTestIOStreams()
	in.WriteString(input)
	code := Run(t.Context(), args, streams, func() time.Time { return noon })
	return said{code: code, out: out.String(), err: errOut.String()}
}

// testSession is one that prints into a buffer.
func testSession() (*session, *bytes.Buffer) {
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	return &session{IOStreams: streams, now: func() time.Time { return noon }}, out
}

func ago(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(-d)} }

func hence(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }

// condition makes one as the manager writes it for a first generation.
func conditionOf(name string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, Reason: reason, Message: message, ObservedGeneration: 1}
}

// orders is a credential in its best days.
func orders(options ...builder.CredentialOption) *v1alpha1.ClientCredential {
	options = append([]builder.CredentialOption{
		builder.ForAccount("acme"), builder.Generation(1), builder.CreatedAt(noon.Add(-72 * time.Hour)),
	}, options...)
	object := builder.ClientCredential("acme", "orders", options...)
	object.Status.ClientID = "acme.orders"
	object.Status.Binding = &v1alpha1.SecretBinding{Name: "orders"}
	object.Status.TokenExpiryMinutes = 60
	object.Status.Conditions = []metav1.Condition{
		conditionOf("Allowed", metav1.ConditionTrue, "Allowed", "The rules allow this credential"),
		conditionOf("Ready", metav1.ConditionTrue, "Issued", "Secret orders can be traded for tokens"),
	}
	return object
}

// expectText compares texts line by line, so that a failure shows the line.
func expectText(t *testing.T, got, want string) {
	t.Helper()
	gotLines, wantLines := strings.Split(strings.TrimRight(got, "\n"), "\n"), strings.Split(strings.TrimSpace(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		var g, w string
		if i < len(gotLines) {
			g = strings.TrimRight(gotLines[i], " ")
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			t.Errorf("line %d is\n%q and not\n%q in:\n%s", i+1, g, w, got)
			return
		}
	}
}

// canceled is a context that nobody waits in.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
