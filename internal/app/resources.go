// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/claviger/claviger/controllers/protectedresource"
	"github.com/claviger/claviger/internal/kube"
)

// addResources adds the controller of ProtectedResources, and the index of them that others need too.
func addResources(ctx context.Context, manager ctrl.Manager, options ManagerOptions) error {
	if err := kube.IndexResources(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	resources := &protectedresource.Reconciler{
		Client: manager.GetClient(), Rules: options.rules(), Issuer: options.issuer, Now: options.Clock,
	}
	if err := resources.SetupWithManager(ctx, manager); err != nil {
		return fmt.Errorf("adding the ProtectedResource controller: %w", err)
	}
	return nil
}
