// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server"
)

// TLSOptions say which certificate a public port serves. Without a Secret and without files it speaks plain HTTP.
type TLSOptions struct {
	// TLSSecret names a Secret of type kubernetes.io/tls in the operator's namespace. With files it is not read.
	TLSSecret string
	// TLSCertFile and TLSKeyFile are PEM files: both, or neither.
	TLSCertFile, TLSKeyFile string
	// TLSMinVersion is the oldest version of TLS that is spoken: "1.2", which empty means too, or "1.3".
	TLSMinVersion string

	minVersion uint16
}

func (o *TLSOptions) bindTLS(flags *pflag.FlagSet) {
	flags.StringVar(&o.TLSSecret, "tls-secret", v1alpha1.ServingSecretName, `Secret of type kubernetes.io/tls, in the operator's namespace, with the certificate of the public port; "" for none: plain HTTP`)
	o.bindTLSFiles(flags)
	flags.Lookup("tls-cert-file").Usage += ", instead of --tls-secret"
}

// bindTLSFiles defines the flags of those who read no Secret.
func (o *TLSOptions) bindTLSFiles(flags *pflag.FlagSet) {
	flags.StringVar(&o.TLSCertFile, "tls-cert-file", "", "file with the certificate of the public port and those that lead to its root, PEM; with --tls-key-file")
	flags.StringVar(&o.TLSKeyFile, "tls-key-file", "", "file with the private key of --tls-cert-file, PEM")
	flags.StringVar(&o.TLSMinVersion, "tls-min-version", "1.2", "oldest version of TLS that the public port speaks: 1.2 or 1.3")
}

// plain reports whether the port speaks plain HTTP.
func (o *TLSOptions) plain() bool {
	return o.TLSSecret == "" && o.TLSCertFile == "" && o.TLSKeyFile == ""
}

// completeTLS fills in and validates, with what it goes together with: the address that the port listens on, and the issuer,
// which may be wrong in itself and is then told of elsewhere.
func (o *TLSOptions) completeTLS(address string, common *Common) error {
	var mistakes []error
	switch o.TLSMinVersion {
	case "", "1.2":
		o.minVersion = tls.VersionTLS12
	case "1.3":
		o.minVersion = tls.VersionTLS13
	default:
		mistakes = append(mistakes, fmt.Errorf("--tls-min-version: %q is neither 1.2 nor 1.3", o.TLSMinVersion))
	}
	switch {
	case o.plain():
		if !common.AllowPlainHTTP && !oauth.IsLoopbackAddress(address) {
			mistakes = append(mistakes, fmt.Errorf("--listen: %q is not on loopback, and without a certificate secrets would cross the network in clear; "+
				"name a Secret with --tls-secret, or files with --tls-cert-file and --tls-key-file, or give --allow-plain-http where something in front speaks TLS", address))
		}
		return errors.Join(mistakes...)
	case o.TLSCertFile != "" || o.TLSKeyFile != "":
		mistakes = append(mistakes, o.completeFiles())
	default:
		mistakes = append(mistakes, o.checkSecret())
	}
	if common.issuer.Host() != "" && !common.issuer.IsTLS() {
		mistakes = append(mistakes, errors.New(`--issuer begins with http, and the public port speaks TLS; begin it with https, or give --tls-secret="" for plain HTTP`))
	}
	return errors.Join(mistakes...)
}

func (o *TLSOptions) completeFiles() error {
	if o.TLSCertFile == "" || o.TLSKeyFile == "" {
		return errors.New("--tls-cert-file and --tls-key-file: give both, or neither")
	}
	if o.TLSSecret != "" && o.TLSSecret != v1alpha1.ServingSecretName {
		return errors.New("--tls-secret and --tls-cert-file: give one of them")
	}
	o.TLSSecret = ""
	if _, err := tls.LoadX509KeyPair(o.TLSCertFile, o.TLSKeyFile); err != nil {
		return fmt.Errorf("--tls-cert-file and --tls-key-file: %w", err)
	}
	return nil
}

func (o *TLSOptions) checkSecret() error {
	if wrong := validation.IsDNS1123Subdomain(o.TLSSecret); len(wrong) > 0 {
		return fmt.Errorf("--tls-secret: %q is not the name of a Secret: %s", o.TLSSecret, strings.Join(wrong, "; "))
	}
	if o.TLSSecret != v1alpha1.ServingSecretName && v1alpha1.ReservedSecretName(o.TLSSecret) {
		return fmt.Errorf("--tls-secret: %s holds other keys of the operator", o.TLSSecret)
	}
	return nil
}

// publicPort is a listener, with the certificate that it serves.
type publicPort struct {
	net.Listener
	// ready reports whether there is a certificate, where one is needed.
	ready func() bool
	// run follows what must be followed until the context ends.
	run func(context.Context) error
	// secure makes another port serve the same certificate, or speak in clear like this one.
	secure func(net.Listener) net.Listener
}

// secure makes a port serve what the options say.
func (o *TLSOptions) secure(ctx context.Context, port net.Listener, secrets kubernetes.Interface, namespace string, registry prometheus.Registerer) (publicPort, error) {
	if o.plain() {
		return publicPort{
			Listener: port, ready: func() bool { return true }, run: func(context.Context) error { return nil },
			secure: func(other net.Listener) net.Listener { return other },
		}, nil
	}
	var certificate server.GetCertificate
	run := func(context.Context) error { return nil }
	if o.TLSSecret != "" {
		followed := &kube.Certificate{}
		followed.Follow(ctx, secrets, client.ObjectKey{Namespace: namespace, Name: o.TLSSecret})
		certificate = followed.Get
	} else {
		files, err := certwatcher.New(o.TLSCertFile, o.TLSKeyFile)
		if err != nil {
			return publicPort{}, fmt.Errorf("reading the certificate: %w", err)
		}
		certificate, run = files.GetCertificate, files.Start
	}
	registry.MustRegister(expiry{certificate})
	ready := func() bool {
		served, err := certificate(nil)
		return err == nil && served != nil
	}
	secure := func(other net.Listener) net.Listener { return server.Secure(other, certificate, o.minVersion) }
	return publicPort{Listener: secure(port), ready: ready, run: run, secure: secure}, nil
}

// expiry is the metric of the certificate that is served. Without a certificate it has no value.
type expiry struct{ certificate server.GetCertificate }

var expiryDescription = prometheus.NewDesc("claviger_serving_certificate_expiry_timestamp_seconds",
	"When the certificate that this process serves expires, in seconds since 1970.", nil, nil)

func (expiry) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- expiryDescription }

func (e expiry) Collect(metrics chan<- prometheus.Metric) {
	if served, err := e.certificate(nil); err == nil && served != nil && served.Leaf != nil {
		metrics <- prometheus.MustNewConstMetric(expiryDescription, prometheus.GaugeValue, float64(served.Leaf.NotAfter.Unix()))
	}
}
