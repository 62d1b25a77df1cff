// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/claviger/claviger/internal/oauth"
)

// issuerFlags say where the token service is, for those who cannot reach it where its clients do.
type issuerFlags struct {
	issuer         string
	caFile         string
	allowPlainHTTP bool
}

func (f *issuerFlags) bind(command *cobra.Command, issuerUse string) {
	flags := command.Flags()
	flags.StringVar(&f.issuer, "issuer", "", issuerUse)
	flags.StringVar(&f.caFile, "issuer-ca", "",
		"File with the PEM certificates that verify the token service. Default: ca.crt of the Secret, else those of this machine.")
	flags.BoolVar(&f.allowPlainHTTP, "allow-plain-http", false,
		"Allow plain HTTP beyond this machine: secrets and tokens cross the network in clear.")
	_ = command.MarkFlagFilename("issuer-ca")
}

// endpoint gives an endpoint of the token service: override, where that is set; else the path below --issuer; else
// written, which a Secret says.
func (f *issuerFlags) endpoint(override, path, written string, caCert []byte) (endpoint, error) {
	found := endpoint{url: written, caCert: caCert, allowPlainHTTP: f.allowPlainHTTP}
	switch {
	case override != "":
		found.url = override
	case f.issuer != "":
		issuer, err := oauth.ParseIssuerURL(f.issuer, f.allowPlainHTTP)
		if err != nil {
			return endpoint{}, fmt.Errorf("%w: --issuer: %w", errTokenService, err)
		}
		found.url = issuer.Endpoint(path)
	case written == "":
		return endpoint{}, errors.New("the Secret does not say where the token service is; give --issuer")
	}
	if f.caFile == "" {
		return found, nil
	}
	var err error
	if found.caCert, err = os.ReadFile(f.caFile); err != nil {
		return endpoint{}, fmt.Errorf("--issuer-ca: %w", err)
	}
	return found, nil
}
