// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/controllers/accountconnector"
	library "github.com/claviger/claviger/controllers/connector"
	"github.com/claviger/claviger/controllers/signin"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/discovery"
	"github.com/claviger/claviger/internal/connector/politeness"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/egress"
	"github.com/claviger/claviger/internal/kube"
)

// ConnectionOptions are the options of those who call third-party applications.
type ConnectionOptions struct {
	// ConnectionsNamespace holds the records of connections and the app registrations of Connectors.
	ConnectionsNamespace string
	// EgressAllow are networks that may be called although they are private, in CIDR notation.
	EgressAllow []string
	// EgressAllowHTTP lets URLs be http.
	EgressAllowHTTP bool
	// EgressCAFile holds the PEM certificates that verify providers; empty where the world's own do.
	EgressCAFile string

	allowed []netip.Prefix
}

func (o *ConnectionOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.ConnectionsNamespace, "connections-namespace", config.ConnectionsNamespace, "namespace that holds the records of connections and the app registrations of Connectors")
	flags.StringSliceVar(&o.EgressAllow, "egress-allow", nil, "networks (CIDR) of providers that may be called although they are loopback, private or otherwise not of the Internet")
	flags.BoolVar(&o.EgressAllowHTTP, "egress-allow-http", false, "let URLs of Connectors be http: secrets and tokens travel in clear")
	flags.StringVar(&o.EgressCAFile, "egress-ca-file", "", "file of PEM certificates that verify providers, where their CA is private; read anew for every connection")
}

// completeConnections needs the Common options complete.
func (o *ConnectionOptions) completeConnections(common Common) error {
	var mistakes []error
	if o.ConnectionsNamespace == "" {
		o.ConnectionsNamespace = config.ConnectionsNamespace
	}
	if wrong := validation.IsDNS1123Label(o.ConnectionsNamespace); len(wrong) > 0 {
		mistakes = append(mistakes, fmt.Errorf("--connections-namespace: %q is not the name of a namespace", o.ConnectionsNamespace))
	}
	if o.ConnectionsNamespace == common.Namespace {
		mistakes = append(mistakes, errors.New("--connections-namespace: it must be another than --namespace, because the connect role may read every Secret in it"))
	}
	for _, text := range o.EgressAllow {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--egress-allow: %q is no network such as 10.0.0.0/8", text))
			continue
		}
		o.allowed = append(o.allowed, network)
	}
	return errors.Join(mistakes...)
}

// outside gives the client that calls URLs of objects.
func (o *ConnectionOptions) outside() *egress.Client {
	return egress.New(egress.Options{
		AllowedNetworks: o.allowed, AllowHTTP: o.EgressAllowHTTP, CAFile: o.EgressCAFile, Timeout: connector.RequestTimeout,
	})
}

// connectionParts are what the controllers of connections share with others.
type connectionParts struct {
	secrets  kube.Secrets
	versions *kube.SecretVersions
}

// addConnections adds the controllers of AccountConnectors and Connectors.
func addConnections(ctx context.Context, manager ctrl.Manager, parts connectionParts, options ManagerOptions) error {
	outside := options.outside()
	grants := kube.Grants{Client: manager.GetClient(), Live: manager.GetAPIReader(), Namespace: options.ConnectionsNamespace}
	counts, err := accountconnector.NewMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	connections := &accountconnector.Reconciler{
		Client:   manager.GetClient(),
		Secrets:  parts.secrets,
		Versions: parts.versions,
		Grants:   grants,
		Keeper:   &connector.Keeper{Store: grants, Self: options.ReplicaName, NewAttempt: rand.Text, Now: options.Clock},
		Endpoint: &tokenendpoint.Client{
			HTTP: outside, Now: options.Clock, Random: rand.Reader,
		},
		Hosts:    politeness.New(politeness.Default(), options.Clock),
		Metrics:  counts,
		Recorder: manager.GetEventRecorder("claviger-manager"),
		Now:      options.Clock,
	}
	if err := kube.IndexRegistrations(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	if err := connections.SetupWithManager(ctx, manager); err != nil {
		return fmt.Errorf("adding the AccountConnector controller: %w", err)
	}
	signIns := &signin.Reconciler{Client: manager.GetClient(), Namespace: options.ConnectionsNamespace, Now: options.Clock}
	if err := signIns.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the controller of sign-ins: %w", err)
	}
	entries := &library.Reconciler{
		Client: manager.GetClient(), Live: manager.GetAPIReader(), Versions: parts.versions, Namespace: options.ConnectionsNamespace,
		AllowHTTP: options.EgressAllowHTTP, Discovery: &discovery.Client{HTTP: outside, AllowHTTP: options.EgressAllowHTTP},
		RedirectURI: options.redirectURI, Now: options.Clock,
	}
	if err := entries.SetupWithManager(manager); err != nil {
		return fmt.Errorf("adding the Connector controller: %w", err)
	}
	return nil
}
