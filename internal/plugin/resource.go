// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// readResource reads all that the verdict about a protected resource depends on. name is "<namespace>/<name>".
func (l *live) readResource(ctx context.Context, name string) error {
	namespace, _, qualified := strings.Cut(name, "/")
	if !qualified || strings.Count(name, "/") > 1 {
		return fmt.Errorf("--resource: %q is not NAMESPACE/NAME, as a guard names it", name)
	}
	list, err := l.listResources(ctx, namespace)
	if err != nil {
		return err
	}
	for i := range list.Items {
		l.directory.Store(&list.Items[i])
	}
	subject, found := l.directory.Resource(name)
	if !found {
		return nil // the service says so
	}
	if err := l.readNamespace(ctx, namespace); err != nil || subject.Resource.ConsoleLevel() {
		return err
	}
	return l.readAccount(ctx, subject.Resource.AccountID)
}

// listResources gives those of all namespaces, because one of any may have the URL, or of this one where the user may not see all.
func (l *live) listResources(ctx context.Context, namespace string) (*v1alpha1.ProtectedResourceList, error) {
	list := &v1alpha1.ProtectedResourceList{}
	err := l.api.List(ctx, list)
	if apierrors.IsForbidden(err) {
		l.unseen = append(l.unseen, "protected resources outside namespace "+namespace)
		err = l.api.List(ctx, list, client.InNamespace(namespace))
	}
	if err != nil {
		return nil, fmt.Errorf("listing protected resources: %w", err)
	}
	return list, nil
}
