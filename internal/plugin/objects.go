// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// kindCredential is the kind that most commands are about, and the others are how kubectl names things.
const (
	kindCredential       = "ClientCredential" //nolint:gosec // G101: a kind, not a credential
	resourceCredential   = "clientcredential.claviger.dev"
	resourceConnection   = "accountconnector.claviger.dev"
	kindConnection       = "AccountConnector"
	resourceRevokedToken = "revokedtoken.claviger.dev"
)

// get reads an object. Its error says what the API server said.
func get(ctx context.Context, api client.Reader, key client.ObjectKey, object client.Object) error {
	if err := api.Get(ctx, key, object); err != nil {
		return fmt.Errorf("reading %s: %w", key, err)
	}
	return nil
}

// listCredentials lists those of a namespace, "" being all, that a label selector selects.
func listCredentials(ctx context.Context, api client.Reader, namespace, selector string) (*v1alpha1.ClientCredentialList, error) {
	selected, err := labels.Parse(selector)
	if err != nil {
		return nil, fmt.Errorf("--selector: %w", err)
	}
	list := &v1alpha1.ClientCredentialList{}
	if err := api.List(ctx, list, &client.ListOptions{Namespace: namespace, LabelSelector: selected}); err != nil {
		return nil, fmt.Errorf("listing credentials: %w", err)
	}
	return list, nil
}

// printObject prints an object in the format of -o.
func printObject(out io.Writer, flags *genericclioptions.PrintFlags, object runtime.Object) error {
	kinds, err := newScheme()
	if err != nil {
		return err
	}
	printer, err := flags.WithTypeSetter(kinds).ToPrinter()
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	if err := printer.PrintObj(object, out); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// isNotFound reports whether an object of one of Claviger's resources was not found.
func isNotFound(err error, resource string) bool {
	var answer apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &answer) {
		return false
	}
	details := answer.Status().Details
	return details != nil && details.Group == v1alpha1.GroupVersion.Group && details.Kind == resource
}
