// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
)

// TestDescribeInOverlap: all that a description can have, while one secret has just replaced another.
func TestDescribeInOverlap(t *testing.T) {
	object := orders(
		builder.WithScopes("Webhook", "MCP"), builder.Interval(30*24*time.Hour), builder.Overlap(36*time.Hour+30*time.Minute),
		builder.Trigger("2026-q4"), builder.Annotated(v1alpha1.AnnotationRotate, "2026-11-24T10:00:00Z"),
		builder.RevokeTokensBefore(noon.Add(-time.Hour)),
	)
	object.Spec.Description = "Orders webhook caller\x1b[2J\u202e"
	object.Status.AccessToken = &v1alpha1.AccessTokenStatus{Name: "orders-token", ExpiresAt: hence(40 * time.Minute)}
	object.Status.Rotation = &v1alpha1.RotationStatus{LastRotationTime: ago(2 * time.Hour), NextRotationTime: hence(718 * time.Hour)}
	object.Status.Verifiers = []v1alpha1.SecretVerifier{
		{},
		{PublishedAt: ago(2 * time.Hour)},
		{PublishedAt: ago(200 * time.Hour), ExpiresAt: hence(22 * time.Hour)},
		{PublishedAt: ago(300 * time.Hour), ExpiresAt: ago(time.Minute)},
	}
	var out bytes.Buffer
	if err := describe(&out, describeCredential(object, "client_id, client_secret", noon)); err != nil {
		t.Fatal(err)
	}
	expectText(t, out.String(), `
Name:                 orders
Namespace:            acme
Description:          Orders webhook caller\x1b[2J\u202e
Client ID:            acme.orders
Level:                account acme
Scopes:               Webhook MCP
Token lifetime:       60 minutes
Tokens revoked:       those issued before 2026-11-24T11:00:00Z (60m ago)
Secret:               orders
  Keys:               client_id, client_secret
Access token Secret:  orders-token
  Token expires:      2026-11-24T12:40:00Z (in 40m)
Rotation:
  Last:               2026-11-24T10:00:00Z (120m ago)
  Next:               2026-12-24T10:00:00Z (in 29d)
  Overlap:            36h30m
  Trigger:            2026-q4
  Request:            2026-11-24T10:00:00Z
Client secrets:
  Prepared:           not published yet
  Current:            published 2026-11-24T10:00:00Z (120m ago)
  Replaced:           works until 2026-11-25T10:00:00Z (in 22h)
  Replaced:           worked until 2026-11-24T11:59:00Z (60s ago)
Conditions:
  Allowed:            True, Allowed: The rules allow this credential
  Ready:              True, Issued: Secret orders can be traded for tokens
`)
}

// TestDescribeWithAdvice: a console-level credential that its user brings the secret of, and that nobody may use.
func TestDescribeWithAdvice(t *testing.T) {
	object := builder.ClientCredential("team-x", "billing", builder.SecretFrom("vault"), builder.Generation(1))
	object.Status.Conditions = []metav1.Condition{
		conditionOf("Ready", metav1.ConditionFalse, "ConsoleNotAllowed", "it may stand only in: claviger-system"),
	}
	var out bytes.Buffer
	if err := describe(&out, describeCredential(object, "none: there is no such Secret", noon)); err != nil {
		t.Fatal(err)
	}
	expectText(t, out.String(), `
Name:            billing
Namespace:       team-x
Client ID:       <none>
Level:           console
Scopes:          API
Secret:          vault, which is yours (spec.secretRef)
  Keys:          none: there is no such Secret
Rotation:
  Next:          when Secret vault is edited
  Overlap:       24h
Client secrets:  none works yet
Conditions:
  Ready:         False, ConsoleNotAllowed: it may stand only in: claviger-system
What to do:      Set spec.accountRef if an account was meant; otherwise create it in one of the namespaces named, or add this one to --console-namespaces of every role.
`)
}

func TestDescribeAccount(t *testing.T) {
	account := builder.Account("acme", builder.Namespaces("acme", "acme-test"), builder.Scopes("orders.read"), builder.Generation(1),
		builder.Selector(metav1.LabelSelector{MatchLabels: map[string]string{"team": "acme"}}), builder.CreatedAt(noon.Add(-72*time.Hour)),
		builder.DefaultTokenMinutes(60), builder.MaxTokenMinutes(1440), builder.Suspended())
	account.Spec.DisplayName = "Acme Ltd"
	account.Status.Conditions = []metav1.Condition{conditionOf("Ready", metav1.ConditionFalse, "Suspended", "spec.suspend is true")}
	var out bytes.Buffer
	if err := describe(&out, describeAccount(account, noon)); err != nil {
		t.Fatal(err)
	}
	expectText(t, out.String(), `
Name:            acme
Display name:    Acme Ltd
Age:             3d
Scopes:          Webhook MCP orders.read
Namespaces:      acme, acme-test, those with team=acme
Token lifetime:  60 minutes unless a credential says otherwise
  At most:       1440 minutes (24h)
Conditions:
  Ready:         False, Suspended: spec.suspend is true
What to do:      Set spec.suspend to false when it may be used again; nothing else is lost.
`)
}

func TestTable(t *testing.T) {
	rotating := orders()
	rotating.Status.Rotation = &v1alpha1.RotationStatus{NextRotationTime: hence(718 * time.Hour)}
	due := builder.ClientCredential("claviger-system", "billing", builder.CreatedAt(noon.Add(-time.Minute)))
	due.Status.Rotation = &v1alpha1.RotationStatus{NextRotationTime: ago(0)}
	list := &v1alpha1.ClientCredentialList{Items: []v1alpha1.ClientCredential{*rotating, *due}}
	var out bytes.Buffer
	if err := printTable(&out, list, true, noon); err != nil {
		t.Fatal(err)
	}
	expectText(t, out.String(), `
NAMESPACE         NAME      ACCOUNT   CLIENT ID     SECRET   READY     REASON   NEXT ROTATION   AGE
acme              orders    acme      acme.orders   orders   True      Issued   in 29d          3d
claviger-system   billing   <none>    <none>        <none>   Unknown   <none>   now             60s
`)
}

func TestNamespaces(t *testing.T) {
	labelled := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "acme"}}
	for _, row := range []struct {
		name    string
		allowed v1alpha1.AccountNamespaces
		want    string
	}{
		{"none", v1alpha1.AccountNamespaces{}, "<none>"},
		{"those named", v1alpha1.AccountNamespaces{Names: []string{"a", "b"}}, "a, b"},
		{"those selected", v1alpha1.AccountNamespaces{Selector: labelled}, "those with team=acme"},
		{"both", v1alpha1.AccountNamespaces{Names: []string{"a"}, Selector: labelled}, "a, those with team=acme"},
		{"a selector that selects by nothing", v1alpha1.AccountNamespaces{Names: []string{"a"}, Selector: &metav1.LabelSelector{}}, "all"},
	} {
		if got := namespaces(row.allowed); got != row.want {
			t.Errorf("%s: got %q", row.name, got)
		}
	}
}

func TestPeriod(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", 24 * time.Hour: "24h",
		100*time.Hour + 5*time.Minute: "100h5m", time.Hour + time.Second: "1h0m1s",
	} {
		if got := period(d); got != want {
			t.Errorf("%v: got %s", d, got)
		}
	}
}
