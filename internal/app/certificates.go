// SPDX-License-Identifier: Apache-2.0

package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/controllers/certificates"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/pki"
)

// DefaultClusterDomain is the DNS domain that clusters have where nobody chose another.
const DefaultClusterDomain = "cluster.local"

// CertificateOptions say which certificate the manager keeps for the token service.
type CertificateOptions struct {
	// ManageCertificates says that the manager makes and renews it, and the authority that signs it.
	ManageCertificates bool
	// ServingDNSNames are names of the token service beside those that it has in the cluster.
	ServingDNSNames []string
	// ClusterDomain is the cluster's DNS domain. Complete sets it where it is empty.
	ClusterDomain string
}

func (o *CertificateOptions) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&o.ManageCertificates, "manage-certificates", true, "make and renew the token service's certificate and the authority that signs it; a Secret that somebody else made is left alone")
	flags.StringSliceVar(&o.ServingDNSNames, "serving-dns-names", nil, "DNS names of the token service, for its certificate, beside those that it has in the cluster")
	flags.StringVar(&o.ClusterDomain, "cluster-domain", DefaultClusterDomain, "the cluster's DNS domain, for the names in the certificate")
}

// mostDNSNames keeps a certificate small enough for every handshake.
const mostDNSNames = 100

// completeCertificates fills in and validates.
func (o *CertificateOptions) completeCertificates() error {
	if o.ClusterDomain == "" {
		o.ClusterDomain = DefaultClusterDomain
	}
	var mistakes []error
	if wrong := validation.IsDNS1123Subdomain(o.ClusterDomain); len(wrong) > 0 {
		mistakes = append(mistakes, fmt.Errorf("--cluster-domain: %q is not a DNS domain: %s", o.ClusterDomain, strings.Join(wrong, "; ")))
	}
	if len(o.ServingDNSNames) > 0 && !o.ManageCertificates {
		mistakes = append(mistakes, errors.New("--serving-dns-names: with --manage-certificates=false nobody makes a certificate for them"))
	}
	if len(o.ServingDNSNames) > mostDNSNames {
		mistakes = append(mistakes, fmt.Errorf("--serving-dns-names: %d are more than %d", len(o.ServingDNSNames), mostDNSNames))
	}
	for _, name := range o.ServingDNSNames {
		if net.ParseIP(name) != nil {
			mistakes = append(mistakes, fmt.Errorf("--serving-dns-names: %s is an address, and the certificate is for names alone", name))
			continue
		}
		check := validation.IsDNS1123Subdomain
		if strings.HasPrefix(name, "*.") {
			check = validation.IsWildcardDNS1123Subdomain
		}
		if wrong := check(strings.ToLower(name)); len(wrong) > 0 {
			mistakes = append(mistakes, fmt.Errorf("--serving-dns-names: %q is not a DNS name: %s", name, strings.Join(wrong, "; ")))
		}
	}
	return errors.Join(mistakes...)
}

// addCertificates adds the controller of the certificates, and gives what it tells workloads to trust.
func addCertificates(manager ctrl.Manager, secrets kube.Secrets, options ManagerOptions) (*kube.Trust, error) {
	measured, err := certificates.NewMetrics(metrics.Registry)
	if err != nil {
		return nil, err
	}
	keeper := &certificates.Reconciler{
		Secrets:   secrets,
		Recorder:  manager.GetEventRecorder("claviger-manager"),
		Metrics:   measured,
		Namespace: options.Namespace,
		Manage:    options.ManageCertificates,
		Names: pki.Names{
			Service: v1alpha1.TokenServiceName, Namespace: options.Namespace, ClusterDomain: options.ClusterDomain,
			IssuerHost: options.issuer.Host(), More: options.ServingDNSNames,
		}.All(),
		IssuerHost: options.issuer.Host(),
		Now:        options.Clock,
		Random:     rand.Reader,
	}
	trust := kube.NewTrust()
	switch {
	case options.issuerCA != "":
		trust.Set(options.issuerCA)
	case !options.issuer.IsTLS():
		trust.Set("")
	default:
		keeper.Trust = trust
	}
	if err := keeper.SetupWithManager(manager); err != nil {
		return nil, fmt.Errorf("adding the certificates controller: %w", err)
	}
	return trust, nil
}
