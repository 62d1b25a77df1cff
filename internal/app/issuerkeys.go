// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/pflag"

	"github.com/claviger/claviger/internal/jwks"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
	"github.com/claviger/claviger/internal/server"
)

// IssuerKeysOptions say how those who verify tokens and read no Secret learn of the issuer's keys, which are public.
type IssuerKeysOptions struct {
	// JWKSURL is where the issuer's keys are; empty: where its metadata would say.
	JWKSURL string
	// IssuerCAFile holds the PEM certificates that verify the issuer; empty where the world's own do.
	IssuerCAFile string
}

func (o *IssuerKeysOptions) bindIssuerKeys(flags *pflag.FlagSet) {
	flags.StringVar(&o.JWKSURL, "jwks-url", "", "URL of the issuer's keys (default: "+server.PathJWKS+" below the issuer)")
	flags.StringVar(&o.IssuerCAFile, "issuer-ca-file", "", "file of PEM certificates that verify the issuer, where its CA is private; read anew for every connection")
}

// completeIssuerKeys fills in and validates. The common options are complete.
func (o *IssuerKeysOptions) completeIssuerKeys(common Common) error {
	if o.JWKSURL == "" {
		o.JWKSURL = common.issuer.Endpoint(server.PathJWKS)
	}
	return errors.Join(common.checkService("--jwks-url", o.JWKSURL), checkRoots("--issuer-ca-file", o.IssuerCAFile))
}

// keys gives the issuer's keys, as they are published.
func (o *IssuerKeysOptions) keys(common Common) *jwks.Source {
	return &jwks.Source{URL: o.JWKSURL, Client: outbound.NewClient(o.IssuerCAFile, issuerTimeout), Now: common.Clock}
}

// checkService checks the URL of an endpoint of the issuer: who could change what is said there could admit anybody.
func (o *Common) checkService(flag, text string) error {
	parsed, err := url.Parse(text)
	if err == nil {
		_, err = oauth.ParseIssuerURL(parsed.Scheme+"://"+parsed.Host, o.AllowPlainHTTP)
	}
	if err != nil || parsed.User != nil || parsed.Fragment != "" {
		return fmt.Errorf("%s: it must be an absolute https URL; http is for loopback, and for --allow-plain-http", flag)
	}
	return nil
}

func checkRoots(flag, file string) error {
	if file == "" {
		return nil
	}
	if _, err := outbound.ReadRoots(file); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}
