// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/claviger/claviger/api/v1alpha1"
)

// crm is a connection in its best days.
func crm(changes ...func(*v1alpha1.AccountConnector)) *v1alpha1.AccountConnector {
	object := &v1alpha1.AccountConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "crm", Generation: 1, CreationTimestamp: *ago(72 * time.Hour)},
		Spec: v1alpha1.AccountConnectorSpec{
			AccountRef: v1alpha1.AccountReference{Name: "acme"}, ConnectorRef: v1alpha1.ConnectorReference{Name: "hubspot"},
		},
		Status: v1alpha1.AccountConnectorStatus{
			ID: "acme.crm", Binding: &v1alpha1.SecretBinding{Name: "crm"}, Scope: "oauth contacts",
			AuthorizedAt: ago(48 * time.Hour), AuthorizedBy: "jane", RefreshedAt: ago(2 * time.Minute),
			ExpiresAt: hence(28 * time.Minute), NextRefreshAt: hence(22 * time.Minute),
			Conditions: []metav1.Condition{
				conditionOf("Authorized", metav1.ConditionTrue, "Authorized", "There is a grant"),
				conditionOf("RefreshHealthy", metav1.ConditionTrue, "Refreshed", "The access token is live"),
				conditionOf("SecretPublished", metav1.ConditionTrue, "Published", "Secret crm holds the access token"),
				conditionOf("Ready", metav1.ConditionTrue, "Connected", "Secret crm holds a live access token"),
			},
		},
	}
	for _, change := range changes {
		change(object)
	}
	return object
}

// with puts conditions in place of those of their types.
func with(conditions ...metav1.Condition) func(*v1alpha1.AccountConnector) {
	return func(object *v1alpha1.AccountConnector) {
		for _, condition := range conditions {
			for i := range object.Status.Conditions {
				if object.Status.Conditions[i].Type == condition.Type {
					object.Status.Conditions[i] = condition
					condition.Type = ""
				}
			}
			if condition.Type != "" {
				object.Status.Conditions = append(object.Status.Conditions, condition)
			}
		}
	}
}

var (
	unsigned = []metav1.Condition{
		conditionOf("Authorized", metav1.ConditionFalse, "SignInRequired", "Nobody has signed in yet"),
		conditionOf("Ready", metav1.ConditionFalse, "SignInRequired", "Nobody has signed in yet"),
	}
	failing = conditionOf("RefreshHealthy", metav1.ConditionFalse, "RefreshFailing", "Trying again: the provider is busy")
)

func never(object *v1alpha1.AccountConnector) {
	object.Status = v1alpha1.AccountConnectorStatus{ID: object.Status.ID, Conditions: slices.Clone(unsigned)}
	object.Name = "mail"
}

func TestConnectionsTable(t *testing.T) {
	list := &v1alpha1.AccountConnectorList{Items: []v1alpha1.AccountConnector{
		*crm(),
		*crm(never),
		*crm(with(failing), func(o *v1alpha1.AccountConnector) { o.Name = "shop" }),
		*crm(func(o *v1alpha1.AccountConnector) { o.Name, o.Status = "new", v1alpha1.AccountConnectorStatus{} }),
		*crm(func(o *v1alpha1.AccountConnector) { o.Name, o.Status.AuthorizedBy = "odd", "\x1b[2J" }),
	}}
	for _, row := range []struct {
		name          string
		withNamespace bool
		want          string
	}{
		{name: "of one namespace", want: `
NAME   CONNECTOR   ACCOUNT   AUTHORIZED          TOKEN EXPIRES   NEXT REFRESH   HEALTH           AGE
crm    hubspot     acme      2d ago by jane      in 28m          in 22m         Connected        3d
mail   hubspot     acme      <none>              <none>          <none>         SignInRequired   3d
shop   hubspot     acme      2d ago by jane      in 28m          in 22m         RefreshFailing   3d
new    hubspot     acme      <none>              <none>          <none>         Unknown          3d
odd    hubspot     acme      2d ago by \x1b[2J   in 28m          in 22m         Connected        3d

mail: Nobody has signed in yet
  ` + advice["SignInRequired"] + `

shop: Trying again: the provider is busy
  ` + advice["RefreshFailing"] + `

new: Nothing is known of it
  ` + adviceUnseen},
		{name: "of all namespaces", withNamespace: true, want: `
NAMESPACE   NAME   CONNECTOR   ACCOUNT   AUTHORIZED          TOKEN EXPIRES   NEXT REFRESH   HEALTH           AGE
acme        crm    hubspot     acme      2d ago by jane      in 28m          in 22m         Connected        3d
acme        mail   hubspot     acme      <none>              <none>          <none>         SignInRequired   3d
acme        shop   hubspot     acme      2d ago by jane      in 28m          in 22m         RefreshFailing   3d
acme        new    hubspot     acme      <none>              <none>          <none>         Unknown          3d
acme        odd    hubspot     acme      2d ago by \x1b[2J   in 28m          in 22m         Connected        3d

acme/mail: Nobody has signed in yet
  ` + advice["SignInRequired"] + `

acme/shop: Trying again: the provider is busy
  ` + advice["RefreshFailing"] + `

acme/new: Nothing is known of it
  ` + adviceUnseen},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := printConnections(&out, list, row.withNamespace, noon); err != nil {
				t.Fatal(err)
			}
			expectText(t, out.String(), row.want)
		})
	}
}

func TestDescribeConnection(t *testing.T) {
	for _, row := range []struct {
		name   string
		object *v1alpha1.AccountConnector
		want   string
	}{
		{"one that works", crm(), `
Name:               crm
Namespace:          acme
ID:                 acme.crm
Connector:          hubspot
Account:            acme
Authorized:         2d ago by jane
Scope:              oauth contacts
Secret:             crm
Token obtained:     2026-11-24T11:58:00Z (2m ago)
Token expires:      2026-11-24T12:28:00Z (in 28m)
Next refresh:       2026-11-24T12:22:00Z (in 22m)
Conditions:
  Authorized:       True, Authorized: There is a grant
  RefreshHealthy:   True, Refreshed: The access token is live
  SecretPublished:  True, Published: Secret crm holds the access token
  Ready:            True, Connected: Secret crm holds a live access token`},
		{"one that nobody has signed in for", crm(never), `
Name:          mail
Namespace:     acme
ID:            acme.crm
Connector:     hubspot
Account:       acme
Authorized:    <none>
Conditions:
  Authorized:  False, SignInRequired: Nobody has signed in yet
  Ready:       False, SignInRequired: Nobody has signed in yet
What to do:    ` + advice["SignInRequired"]},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := describe(&out, describeConnection(row.object, noon)); err != nil {
				t.Fatal(err)
			}
			expectText(t, out.String(), row.want)
		})
	}
}

func TestConnectionAdvice(t *testing.T) {
	for _, row := range []struct {
		name   string
		object *v1alpha1.AccountConnector
		want   string
	}{
		{"what works needs nothing", crm(), ""},
		{"what does not work yet", crm(never), advice["SignInRequired"]},
		{"what will not work for long", crm(with(failing)), advice["RefreshFailing"]},
		{"what does not work comes before what will not", crm(with(append(unsigned, failing)...)), advice["SignInRequired"]},
		{"what has changed since", crm(with(failing), func(o *v1alpha1.AccountConnector) { o.Generation = 2 }), adviceBehind},
		{
			"a reason of a later version", crm(with(conditionOf("RefreshHealthy", metav1.ConditionFalse, "MoonPhase", ""))), adviceOther,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := connectionAdvice(row.object); got != row.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestIsConnected(t *testing.T) {
	again := func(o *v1alpha1.AccountConnector) { o.Status.AuthorizedAt = ago(time.Second) }
	stalled := conditionOf("Stalled", metav1.ConditionTrue, "SecretConflict", "it is taken")
	conflict := conditionOf("Ready", metav1.ConditionFalse, "SecretConflict", "it is taken")
	unconfirmed := conditionOf("Authorized", metav1.ConditionFalse, "ConfirmationRequired", "")
	for _, row := range []struct {
		name          string
		before, after *v1alpha1.AccountConnector
		want          bool
		err           string
	}{
		{"nobody has signed in", crm(never), crm(never), false, ""},
		{"the first sign-in", crm(never), crm(), true, ""},
		{"a grant that was there before is none", crm(), crm(), false, ""},
		{"another sign-in", crm(), crm(again), true, ""},
		{"signed in, and nothing published yet", crm(never), crm(again, with(conditionOf("Ready", metav1.ConditionFalse, "WriteFailed", ""))), false, ""},
		{"signed in, and a human must act", crm(never), crm(again, with(conflict, stalled)), false, "it is taken"},
		{"a human has acted just now", crm(never), crm(again, with(conflict, stalled), func(o *v1alpha1.AccountConnector) { o.Generation = 2 }), false, ""},
		{"the host's backend is next", crm(never), crm(never, with(unconfirmed)), true, ""},
		{"the host's backend was next before", crm(never, with(unconfirmed)), crm(never, with(unconfirmed)), false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := isConnected(row.before, row.after)
			if got != row.want || (err != nil) != (row.err != "") {
				t.Fatalf("got %v, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), row.err) || !strings.HasSuffix(err.Error(), advice["SecretConflict"])) {
				t.Errorf("got %v", err)
			}
		})
	}
}
