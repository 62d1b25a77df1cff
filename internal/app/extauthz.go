// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/pflag"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/server/extauthz"
)

// ExtAuthzOptions say where Envoy asks over gRPC.
type ExtAuthzOptions struct {
	// ExtAuthzAddress is where the gRPC port listens; "0" or empty for none.
	ExtAuthzAddress string
}

func (o *ExtAuthzOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.ExtAuthzAddress, "ext-authz-listen", "0", `address of the gRPC port for Envoy's external authorization, such as :9191; "0": none. It has the certificate of the public port`)
}

func (o *ExtAuthzOptions) none() bool { return o.ExtAuthzAddress == "" || o.ExtAuthzAddress == "0" }

// complete validates. plain says that the port will speak without TLS, which needs loopback or the flag: tokens cross it.
func (o *ExtAuthzOptions) complete(plain, allowPlain bool) error {
	if !o.none() && plain && !allowPlain && !oauth.IsLoopbackAddress(o.ExtAuthzAddress) {
		return fmt.Errorf("--ext-authz-listen: %q is not on loopback, and without a certificate tokens would cross the network in clear", o.ExtAuthzAddress)
	}
	return nil
}

// serve opens the port, with the certificate of the public one, and serves until the context ends.
func (o *ExtAuthzOptions) serve(ctx context.Context, public publicPort, server extauthz.Server) error {
	if o.none() {
		return nil
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", o.ExtAuthzAddress)
	if err != nil {
		return fmt.Errorf("opening the ext_authz port: %w", err)
	}
	return server.Serve(ctx, public.secure(listener))
}
