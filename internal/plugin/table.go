// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/claviger/claviger/api/v1alpha1"
)

// printTable prints one line a credential.
func printTable(out io.Writer, list *v1alpha1.ClientCredentialList, withNamespace bool, now time.Time) error {
	table := printers.GetNewTabWriter(out)
	header := []string{"NAME", "ACCOUNT", "CLIENT ID", "SECRET", "READY", "REASON", "NEXT ROTATION", "AGE"}
	if withNamespace {
		header = append([]string{"NAMESPACE"}, header...)
	}
	_, _ = fmt.Fprintln(table, strings.Join(header, "\t"))
	for i := range list.Items {
		object := &list.Items[i]
		row := tableRow(object, now)
		if withNamespace {
			row = append([]string{object.Namespace}, row...)
		}
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return flush(table)
}

func tableRow(object *v1alpha1.ClientCredential, now time.Time) []string {
	account, secret, next := nothing, nothing, nothing
	if object.Spec.AccountRef != nil {
		account = object.Spec.AccountRef.Name
	}
	if object.Status.Binding != nil {
		secret = object.Status.Binding.Name
	}
	if rotation := object.Status.Rotation; rotation != nil && rotation.NextRotationTime != nil {
		next = distance(rotation.NextRotationTime.Time, now)
	}
	status, reason := "Unknown", nothing
	if ready := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		status, reason = string(ready.Status), ready.Reason
	}
	return []string{
		object.Name, account, orNothing(plain(object.Status.ClientID)), secret, status, reason, next, age(object.CreationTimestamp, now),
	}
}

// flush writes what a table has collected.
func flush(table interface{ Flush() error }) error {
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}
