// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/claviger/claviger/internal/kube"
)

// addResources makes what several controllers need of ProtectedResources.
func addResources(ctx context.Context, manager ctrl.Manager, _ ManagerOptions) error {
	return kube.IndexResources(ctx, manager.GetFieldIndexer())
}
