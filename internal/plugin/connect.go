// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector/signin"
)

type connectCommand struct {
	*session
	issuerFlags
	connectURL string
	credential string
	user       string
	target     string
	open       bool
	wait       bool
	timeout    time.Duration
}

func newConnectCommand(s *session) *cobra.Command {
	connect := &connectCommand{session: s}
	command := &cobra.Command{
		Use:   "connect NAME",
		Short: "Have a user sign in at the application of a connection",
		Long: "Make a sign-in link for an AccountConnector, print it and, on a terminal, open it in a browser, and wait until the account is\n" +
			"connected. The link is made as a host's backend makes it, with a console-level credential whose Secret you may read. Whoever has\n" +
			"it can sign in, once, within five minutes: give it to the user that it is for, and to nobody else.",
		Example: `  # Connect, or connect again
  kubectl claviger connect crm -n acme

  # Make a link for somebody else
  kubectl claviger connect crm -n acme --user jane --open=false

  # With one of several console-level credentials
  kubectl claviger connect crm -n acme --credential claviger-system/console`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: complete(s, 1, connectionNames),
		RunE:              func(command *cobra.Command, args []string) error { return connect.run(command.Context(), args[0]) },
	}
	flags := command.Flags()
	flags.StringVar(&connect.user, "user", "", "On whose behalf, as the Account's users are called. Default: who you are to the cluster.")
	flags.StringVar(&connect.credential, "credential", "", "The console-level credential to make the link with, [NAMESPACE/]NAME. Default: the only one whose Secret you may read.")
	flags.StringVar(&connect.target, "target-origin", "", "Where the sign-in ends: a URL of one of the allowed origins. Default: one of them, on loopback if there is one.")
	flags.StringVar(&connect.connectURL, "connect-url", "", "Where the connect service can be reached. Default: the issuer.")
	flags.BoolVar(&connect.open, "open", true, "Open the link in a browser, where the output is a terminal.")
	flags.BoolVar(&connect.wait, "wait", true, "Wait until the account is connected.")
	flags.DurationVar(&connect.timeout, "timeout", signin.LinkLifetime, "How long to wait.")
	_ = command.RegisterFlagCompletionFunc("credential", complete(s, -1, consoleNames))
	connect.bind(command, "Issuer identifier, a URL: where the token service can be reached. Default: what the Secret of the credential says.")
	return command
}

func (c *connectCommand) run(ctx context.Context, name string) error {
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	object := &v1alpha1.AccountConnector{}
	if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		return err
	}
	if object.Status.ID == "" {
		return fmt.Errorf("connection %s cannot be named in a link yet: %s", name, adviceUnseen)
	}
	wish, err := c.plan(ctx, api, object)
	if err != nil {
		return err
	}
	made, err := c.makeLink(ctx, api, wish)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	ctx, ended := listen(ctx, wish.target)
	defer ended.close(ctx)
	c.say("%s", made.url)
	c.browse(ctx, made.url)
	if !c.wait {
		return nil
	}
	c.note("Waiting until %s has signed in. The link works once, and until %s.", plain(wish.user), moment(made.expires, c.now()))
	return c.finish(ctx, api, object, ended)
}

// finish waits until the account is connected, and says so.
func (c *connectCommand) finish(ctx context.Context, api client.WithWatch, object *v1alpha1.AccountConnector, ended *landing) error {
	current, err := await(ctx, api, wait[*v1alpha1.AccountConnector]{
		what: "connection " + object.Name, key: client.ObjectKeyFromObject(object), list: &v1alpha1.AccountConnectorList{},
		met: func(current *v1alpha1.AccountConnector) (bool, error) { return isConnected(object, current) },
	})
	var failed *signInError
	switch {
	case err == nil:
		ended.linger(ctx)
		return c.tellConnected(current)
	case errors.As(context.Cause(ctx), &failed):
		return failed
	case ctx.Err() != nil:
		return fmt.Errorf("connection %s is not connected yet, and nobody waits any longer (%w).\nSee how it is: %s connections %s -n %s",
			object.Name, ctx.Err(), program, object.Name, object.Namespace)
	default:
		return err
	}
}

func (c *connectCommand) tellConnected(object *v1alpha1.AccountConnector) error {
	if isUnconfirmed(object) {
		c.say("%s/%s signed in; it is connected when the host's backend has confirmed it", resourceConnection, object.Name)
		return nil
	}
	text := "connected"
	if by := object.Status.AuthorizedBy; by != "" {
		text += " by " + plain(by)
	}
	if secret := object.Status.Binding; secret != nil {
		text += "; Secret " + secret.Name + " holds a live access token"
	}
	c.say("%s/%s %s", resourceConnection, object.Name, text)
	return nil
}
