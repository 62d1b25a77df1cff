// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/claviger/claviger/api/v1alpha1"
)

// problem gives the condition that somebody should look at, or nil: that the Secret holds no live token or, long before that, that it
// will not. A connection that nobody has looked at has none, and is not healthy either.
func problem(object *v1alpha1.AccountConnector) *metav1.Condition {
	for _, name := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionRefreshHealthy} {
		if found := meta.FindStatusCondition(object.Status.Conditions, name); found != nil && found.Status == metav1.ConditionFalse {
			return found
		}
	}
	return nil
}

// connectionAdvice says what to do so that a connection works and goes on to; "" where it does.
func connectionAdvice(object *v1alpha1.AccountConnector) string {
	found := problem(object)
	if found == nil || found.Type == v1alpha1.ConditionReady || found.ObservedGeneration < object.Generation {
		return adviceFor(object, object.Status.Conditions)
	}
	if text, known := advice[found.Reason]; known {
		return text
	}
	return adviceOther
}

// printConnections prints one line a connection, and below the table what is wrong with which.
func printConnections(out io.Writer, list *v1alpha1.AccountConnectorList, withNamespace bool, now time.Time) error {
	table := printers.GetNewTabWriter(out)
	header := []string{"NAME", "CONNECTOR", "ACCOUNT", "AUTHORIZED", "TOKEN EXPIRES", "NEXT REFRESH", "HEALTH", "AGE"}
	if withNamespace {
		header = append([]string{"NAMESPACE"}, header...)
	}
	_, _ = fmt.Fprintln(table, strings.Join(header, "\t"))
	var wrong strings.Builder
	for i := range list.Items {
		object := &list.Items[i]
		row, name := connectionRow(object, now), object.Name
		if withNamespace {
			row, name = append([]string{object.Namespace}, row...), object.Namespace+"/"+object.Name
		}
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
		if what := connectionAdvice(object); what != "" {
			fmt.Fprintf(&wrong, "\n%s: %s\n  %s\n", name, message(object), what)
		}
	}
	if err := flush(table); err != nil {
		return err
	}
	if _, err := io.WriteString(out, wrong.String()); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

func message(object *v1alpha1.AccountConnector) string {
	if found := problem(object); found != nil {
		return plain(found.Message)
	}
	return "Nothing is known of it"
}

func connectionRow(object *v1alpha1.AccountConnector, now time.Time) []string {
	return []string{
		object.Name, object.Spec.ConnectorRef.Name, object.Spec.AccountRef.Name, authorized(object, now),
		away(object.Status.ExpiresAt, now), away(object.Status.NextRefreshAt, now), health(object), age(object.CreationTimestamp, now),
	}
}

// health is in one word: the reason of what is wrong, or of Ready.
func health(object *v1alpha1.AccountConnector) string {
	if found := problem(object); found != nil {
		return found.Reason
	}
	if ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return "Unknown"
}

// authorized says by whom, and how long ago.
func authorized(object *v1alpha1.AccountConnector, now time.Time) string {
	status := object.Status
	if status.AuthorizedAt == nil {
		return nothing
	}
	text := distance(status.AuthorizedAt.Time, now)
	if status.AuthorizedBy != "" {
		text += " by " + plain(status.AuthorizedBy)
	}
	return text
}

func away(at *metav1.Time, now time.Time) string {
	if at == nil {
		return nothing
	}
	return distance(at.Time, now)
}

// describeConnection says all that matters about a connection.
func describeConnection(object *v1alpha1.AccountConnector, now time.Time) []line {
	status := object.Status
	lines := []line{
		{"Name", object.Name},
		{"Namespace", object.Namespace},
		{"ID", orNothing(status.ID)},
		{"Connector", object.Spec.ConnectorRef.Name},
		{"Account", object.Spec.AccountRef.Name},
		{"Authorized", authorized(object, now)},
	}
	lines = appendIf(lines, "Scope", status.Scope)
	if status.Binding != nil {
		lines = append(lines, line{"Secret", status.Binding.Name})
	}
	for _, at := range []struct {
		label string
		time  *metav1.Time
	}{
		{"Token obtained", status.RefreshedAt},
		{"Token expires", status.ExpiresAt},
		{"Next refresh", status.NextRefreshAt},
		{"Grant ends", status.RefreshExpiresAt},
	} {
		if at.time != nil {
			lines = append(lines, line{at.label, moment(at.time.Time, now)})
		}
	}
	lines = append(lines, describeConditions(status.Conditions)...)
	return appendIf(lines, "What to do", connectionAdvice(object))
}
