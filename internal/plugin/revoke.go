// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/claviger/claviger/config"
)

type revokeCommand struct {
	*session
	trustFlags
	print             *genericclioptions.PrintFlags
	dryRun            dryRun
	operatorNamespace string
	reason            string
	as                string
	allTokensOf       string
	apply             bool
}

func newRevokeCommand(s *session) *cobra.Command {
	revoke := &revokeCommand{session: s, print: genericclioptions.NewPrintFlags("")}
	command := &cobra.Command{
		Use:   "revoke [TOKEN | -]",
		Short: "Revoke a token, or all tokens of a credential",
		Long: "Revoke one token, by a RevokedToken in the operator's namespace; with --client, as that credential and at the token\n" +
			"service instead, which needs no right there. Or, with --all-tokens-of, show the change of the spec that kills all tokens\n" +
			"that a credential has had so far; the spec may belong to Git, so it is changed only with --apply.\n\n" +
			"In every case the client secret goes on working. To replace it, rotate; to stop it, suspend the credential.\n\n" +
			"A token that is an argument stays in the history of the shell: pipe it in.",
		Example: `  # One token
  kubectl claviger revoke - --reason "seen in a log" < token

  # One token, as the client that it was issued to
  kubectl claviger revoke - --client orders -n acme < token

  # All tokens that a credential has had: first look, then do it
  kubectl claviger revoke --all-tokens-of orders -n acme
  kubectl claviger revoke --all-tokens-of orders -n acme --apply`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(command *cobra.Command, args []string) error { return revoke.run(command, args) },
	}
	flags := command.Flags()
	flags.StringVar(&revoke.operatorNamespace, "operator-namespace", config.Namespace, operatorNamespaceUse)
	flags.StringVar(&revoke.reason, "reason", "", "Why, for people who look at the RevokedToken.")
	flags.StringVar(&revoke.as, "client", "", "Revoke at the token service, with the client ID and secret of this credential, whose token it must be.")
	flags.StringVar(&revoke.allTokensOf, "all-tokens-of", "", "Kill all tokens that this credential has had so far.")
	flags.BoolVar(&revoke.apply, "apply", false, "With --all-tokens-of: change the spec rather than show the change.")
	for _, flag := range []string{"client", "all-tokens-of"} {
		_ = command.RegisterFlagCompletionFunc(flag, completeNames(s, -1))
	}
	revoke.bind(command)
	revoke.dryRun.bind(command)
	revoke.print.AddFlags(command)
	return command
}

// refuseIdle refuses flags that would do nothing: whoever gave one believes that it does.
func (c *revokeCommand) refuseIdle(flags *pflag.FlagSet) error {
	var with string
	var idle []string
	switch {
	case c.allTokensOf != "":
		with, idle = "--all-tokens-of", []string{"issuer", "jwks-url", "issuer-ca", "allow-plain-http", "operator-namespace"}
		if !c.apply {
			with, idle = "--all-tokens-of without --apply", append(idle, "output", "dry-run")
		}
	case c.as != "":
		with, idle = "--client", []string{"jwks-url", "operator-namespace"}
	}
	for _, name := range idle {
		if flags.Changed(name) {
			return fmt.Errorf("--%s has no effect with %s: leave it out", name, with)
		}
	}
	return nil
}

func (c *revokeCommand) run(command *cobra.Command, args []string) error {
	ctx := command.Context()
	if err := errors.Join(c.dryRun.complete(), c.refuseIdle(command.Flags())); err != nil {
		return err
	}
	switch {
	case c.allTokensOf != "" && (len(args) > 0 || c.as != "" || c.reason != ""):
		return errors.New("--all-tokens-of goes with neither a token, nor --client, nor --reason")
	case c.allTokensOf != "":
		return c.revokeAll(ctx)
	case c.apply:
		return errors.New("--apply goes with --all-tokens-of only")
	case c.as != "" && (c.reason != "" || c.dryRun.on() || *c.print.OutputFormat != ""):
		return errors.New("with --client the token service revokes: --reason, --dry-run and --output go without it")
	}
	raw, err := c.readToken(args)
	if err != nil {
		return err
	}
	claimed, err := readClaims(raw)
	switch {
	case err != nil:
		return err
	case c.as != "":
		return c.revokeAs(ctx, raw)
	case claimed.longExpired(c.now()):
		c.say("nothing to revoke: the token expired %s", claimed.Expires.moment(c.now()))
		return nil
	default:
		return c.revokeOne(ctx, raw, claimed)
	}
}
