// SPDX-License-Identifier: Apache-2.0

package app

import (
	"github.com/spf13/pflag"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/connectapi"
)

// ConnectURLOptions say where browsers reach the connect role.
type ConnectURLOptions struct {
	// ConnectURL is the URL. Empty: the issuer.
	ConnectURL string

	connectURL oauth.IssuerURL
}

func (o *ConnectURLOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.ConnectURL, "connect-url", "", "URL that browsers reach the connect role at (default: the issuer); redirect URIs are below it")
}

// completeConnectURL validates the URL. The common options are complete.
func (o *ConnectURLOptions) completeConnectURL(common Common) error {
	if o.ConnectURL == "" {
		o.ConnectURL, o.connectURL = common.Issuer, common.issuer
		return nil
	}
	var err error
	o.connectURL, err = oauth.ParseBaseURL("--connect-url", o.ConnectURL, common.AllowPlainHTTP)
	return err
}

// redirectURI gives the redirect URI of a Connector (RFC 6749 section 3.1.2).
func (o *ConnectURLOptions) redirectURI(connector string) string {
	return connectapi.RedirectURI(o.connectURL, connector)
}
