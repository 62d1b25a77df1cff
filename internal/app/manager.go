// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

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
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/controllers/account"
	"github.com/claviger/claviger/controllers/clientcredential"
	"github.com/claviger/claviger/controllers/revokedtoken"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/server"
)

// ManagerOptions are the options of the manager.
type ManagerOptions struct {
	Common
	CertificateOptions
	ConnectionOptions
	ConnectURLOptions
	NotificationOptions
	HealthAddress string
	LeaderElect   bool
	// ReplicaName is this replica's: the same after a restart, and no other's at any time. Complete sets it to the host's where it is
	// empty, which in a pod is the pod's unless that has the network of its node.
	ReplicaName string
	// SigningKeyInterval is how long a signing key signs, SigningKeyLead how long it is published before.
	SigningKeyInterval, SigningKeyLead time.Duration
	// SigningAlgorithm is that of signing keys to come.
	SigningAlgorithm string
	// IssuerCAFile holds the PEM certificates that verify the issuer. Empty: where the manager's own certificate is for the
	// issuer's host, its authority's; else none.
	IssuerCAFile string

	issuerCA string
}

func newManagerCommand() *cobra.Command {
	var options ManagerOptions
	command := newRoleCommand("manager", "Run the controllers: Secrets, conditions, keys", &options.Common, options.Complete,
		func(ctx context.Context, config *rest.Config) error { return RunManager(ctx, config, options) })
	command.Flags().StringVar(&options.HealthAddress, "health-bind-address", "127.0.0.1:8081", `address of /healthz and /readyz; "0" switches them off`)
	command.Flags().StringVar(&options.IssuerCAFile, "issuer-ca-file", "", "file of PEM certificates that verify the issuer, where its CA is private; every Secret gets them as ca.crt. Default: those of the token service's own certificate, where it is for the issuer's host")
	command.Flags().BoolVar(&options.LeaderElect, "leader-elect", true, "work only while holding the lease, so that replicas may stand by")
	command.Flags().StringVar(&options.ReplicaName, "replica-name", "", "name of this replica: the same after a restart, and no other's at any time (default: the host's, which is the pod's unless that has the network of its node)")
	options.CertificateOptions.bind(command.Flags())
	options.ConnectionOptions.bind(command.Flags())
	options.ConnectURLOptions.bind(command.Flags())
	options.NotificationOptions.bind(command.Flags())
	options.bindSigningKeys(command.Flags())
	return command
}

// Complete fills in and validates the options.
func (o *ManagerOptions) Complete() error {
	mistakes := []error{o.Common.Complete(), o.completeSigningKeys(), o.completeCertificates()}
	if o.ReplicaName == "" {
		var err error
		if o.ReplicaName, err = os.Hostname(); err != nil {
			mistakes = append(mistakes, fmt.Errorf("--replica-name: finding out the host's: %w", err))
		}
	}
	// Once Common is complete:
	mistakes = append(mistakes, o.completeConnections(o.Common), o.completeConnectURL(o.Common), o.completeNotifications(o.AllowPlainHTTP))
	if o.IssuerCAFile != "" {
		content, err := os.ReadFile(o.IssuerCAFile)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
			err = fmt.Errorf("%s holds no PEM certificate", o.IssuerCAFile)
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--issuer-ca-file: %w", err))
		}
		o.issuerCA = string(content)
	}
	return errors.Join(mistakes...)
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
		Scheme:   scheme,
		Logger:   logger,
		NewCache: newCache,
		Cache: cache.Options{
			DefaultTransform:  cache.TransformStripManagedFields(),
			DefaultNamespaces: options.watched(options.ConnectionsNamespace),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Secret{}:         {Label: labels.NewSelector().Add(*ours)},
				&v1alpha1.RevokedToken{}: {Namespaces: map[string]cache.Config{options.Namespace: {}}},
			},
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
	versions := kube.NewSecretVersions(manager, options.watched(options.ConnectionsNamespace))
	if err := addKeyMaterial(manager, secrets, options); err != nil {
		return err
	}
	trust, err := addCertificates(manager, secrets, options)
	if err != nil {
		return err
	}
	if err := addResources(ctx, manager, options); err != nil {
		return err
	}
	if err := addConnections(ctx, manager, connectionParts{secrets, versions}, options); err != nil {
		return err
	}
	if err := addNotifications(manager, options); err != nil {
		return err
	}
	accounts := &account.Reconciler{Client: manager.GetClient(), Now: options.Clock}
	if err := accounts.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the Account controller: %w", err)
	}
	revoked := &revokedtoken.Reconciler{Client: manager.GetClient(), Now: options.Clock}
	if err := revoked.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the RevokedToken controller: %w", err)
	}
	rotations, err := clientcredential.NewRotations(metrics.Registry)
	if err != nil {
		return err
	}
	credentials := &clientcredential.Reconciler{
		Client:            manager.GetClient(),
		Secrets:           secrets,
		Versions:          versions,
		Recorder:          manager.GetEventRecorder("claviger-manager"),
		OperatorNamespace: options.Namespace,
		Minter:            issuer.Minter{Issuer: options.issuer.String(), Rules: options.rules(), Now: options.Clock, Random: rand.Reader},
		TokenURL:          options.issuer.Endpoint(server.PathToken),
		Trust:             trust,
		Rotations:         rotations,
		Now:               options.Clock,
		Random:            rand.Reader,
	}
	if err := credentials.SetupWithManager(ctx, manager); err != nil {
		return fmt.Errorf("adding the ClientCredential controller: %w", err)
	}
	return nil
}
