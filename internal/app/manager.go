// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/controllers/account"
	"github.com/claviger/claviger/controllers/clientcredential"
	"github.com/claviger/claviger/controllers/keymaterial"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/server"
)

// ManagerOptions are the options of the manager.
type ManagerOptions struct {
	Common
	HealthAddress string
	LeaderElect   bool
}

func newManagerCommand() *cobra.Command {
	var options ManagerOptions
	command := newRoleCommand("manager", "Run the controllers: Secrets, conditions, keys", &options.Common, options.Complete,
		func(ctx context.Context, config *rest.Config) error { return RunManager(ctx, config, options) })
	command.Flags().StringVar(&options.HealthAddress, "health-bind-address", "127.0.0.1:8081", `address of /healthz and /readyz; "0" switches them off`)
	command.Flags().BoolVar(&options.LeaderElect, "leader-elect", true, "work only while holding the lease, so that replicas may stand by")
	return command
}

// RunManager runs the manager until the context ends. The options are complete; the logger comes with the context.
func RunManager(ctx context.Context, restConfig *rest.Config, options ManagerOptions) error {
	manager, err := newManager(ctx, restConfig, options)
	if err != nil {
		return err
	}
	if err := addControllers(ctx, manager, options); err != nil {
		return err
	}
	if err := manager.Start(ctx); err != nil {
		return fmt.Errorf("running the manager: %w", err)
	}
	return nil
}

func newManager(ctx context.Context, restConfig *rest.Config, options ManagerOptions) (ctrl.Manager, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	ours, err := labels.NewRequirement(v1alpha1.LabelSecret, selection.Exists, nil)
	if err != nil {
		return nil, fmt.Errorf("selecting Secrets: %w", err)
	}
	logger := logr.FromContextOrDiscard(ctx)
	manager, err := ctrl.NewManager(restConfig, ctrl.Options{
		Scheme: scheme,
		Logger: logger,
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject:         map[client.Object]cache.ByObject{&corev1.Secret{}: {Label: labels.NewSelector().Add(*ours)}},
		},
		// Names need be unique only within a process that runs one manager; tests run several.
		Controller:                    config.Controller{SkipNameValidation: new(true), Logger: logger},
		Metrics:                       metricsserver.Options{BindAddress: options.MetricsAddress},
		HealthProbeBindAddress:        options.HealthAddress,
		LeaderElection:                options.LeaderElect,
		LeaderElectionID:              "claviger-manager",
		LeaderElectionNamespace:       options.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("building the manager: %w", err)
	}
	if err := manager.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding a health check: %w", err)
	}
	if err := manager.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding a readiness check: %w", err)
	}
	return manager, nil
}

func addControllers(ctx context.Context, manager ctrl.Manager, options ManagerOptions) error {
	secrets := kube.Secrets{Client: manager.GetClient(), Live: manager.GetAPIReader(), Written: &kube.Written{}}
	keys := &keymaterial.Reconciler{Secrets: secrets, Namespace: options.Namespace, Now: options.Clock, Random: rand.Reader}
	if err := keys.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the keymaterial controller: %w", err)
	}
	accounts := &account.Reconciler{Client: manager.GetClient(), Now: options.Clock}
	if err := accounts.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the Account controller: %w", err)
	}
	credentials := &clientcredential.Reconciler{
		Client:            manager.GetClient(),
		Secrets:           secrets,
		Recorder:          manager.GetEventRecorder("claviger-manager"),
		Rules:             options.rules(),
		OperatorNamespace: options.Namespace,
		Issuer:            options.issuer.String(),
		TokenURL:          options.issuer.Endpoint(server.PathToken),
		Now:               options.Clock,
		Random:            rand.Reader,
	}
	if err := credentials.SetupWithManager(ctx, manager); err != nil {
		return fmt.Errorf("adding the ClientCredential controller: %w", err)
	}
	return nil
}
