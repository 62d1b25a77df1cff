// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/oauth"
)

type verifyCommand struct {
	*session
	trustFlags
	operatorNamespace string
	consoleNamespaces []string
	scopes            []string
	accounts          []string
	resource          string
}

const operatorNamespaceUse = "The operator's own namespace, which holds the revoked tokens."

func newVerifyCommand(s *session) *cobra.Command {
	verify := &verifyCommand{session: s}
	command := &cobra.Command{
		Use:   "verify [TOKEN | -] (--scope SCOPE [--account ACCOUNT] | --resource NAMESPACE/NAME)",
		Short: "Say whether a token is good for a place, and why not",
		Long: "Say whether a token is good for a place that needs these scopes and concerns this account: what /verify of the token\n" +
			"service would answer, by the same rules, and why, which /verify tells nobody. The exit code is 1 where it is refused.\n\n" +
			"It looks at the objects in the cluster as they are now, so it needs the right to read credentials, accounts and revoked\n" +
			"tokens. Public keys are fetched from the issuer that you name or that the credential's Secret names, never from one that\n" +
			"only the token names.\n\n" +
			"A token that is an argument stays in the history of the shell: pipe it in.",
		Example: `  # Is this token good for acme's webhooks?
  kubectl claviger verify - --scope Webhook --account acme < token

  # Is it good for the place that is registered as a ProtectedResource?
  kubectl claviger verify - --resource acme/tools < token

  # For the API, where the issuer can be reached only through a forwarded port
  kubectl claviger verify - --scope API --jwks-url http://127.0.0.1:8089/oauth/jwks < token`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(command *cobra.Command, args []string) error { return verify.run(command.Context(), args) },
	}
	flags := command.Flags()
	flags.StringArrayVar(&verify.scopes, "scope", nil, "A scope that the place needs; may be repeated. API makes it the platform's, anything else an account's.")
	flags.StringArrayVar(&verify.accounts, "account", nil, "The account that the call concerns; may be repeated where guard and caller name one each.")
	flags.StringVar(&verify.operatorNamespace, "operator-namespace", config.Namespace, operatorNamespaceUse)
	flags.StringSliceVar(&verify.consoleNamespaces, "console-namespaces", nil,
		"Namespaces that may hold console-level credentials, as the roles are told. Default: --operator-namespace.")
	flags.StringVar(&verify.resource, "resource", "", "The ProtectedResource that the place is, NAMESPACE/NAME, instead of --scope.")
	command.MarkFlagsOneRequired("scope", "resource")
	command.MarkFlagsMutuallyExclusive("scope", "resource")
	verify.bind(command)
	return command
}

func (c *verifyCommand) run(ctx context.Context, args []string) error {
	scopes, err := oauth.ParseScopes(strings.Join(c.scopes, " "))
	if err != nil {
		return fmt.Errorf("--scope: %w", err)
	}
	if slices.Contains(c.accounts, "") {
		return errEmptyAccount
	}
	raw, err := c.readToken(args)
	if err != nil {
		return err
	}
	claimed, err := readClaims(raw)
	if err != nil {
		return err
	}
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	now := &live{api: api, namespace: namespace, operatorNamespace: c.operatorNamespace}
	if err := now.read(ctx, claimed.ClientID, claimed.Account); err != nil {
		return err
	}
	if c.resource != "" {
		if err := now.readResource(ctx, c.resource); err != nil {
			return err
		}
	}
	by, err := c.trust(ctx, now, claimed.ClientID)
	if err != nil {
		return err
	}
	need := issuer.Need{Scopes: scopes, Accounts: c.accounts}
	service := &issuer.Service{
		Minter:    issuer.Minter{Issuer: by.issuer, Rules: c.rules(), Now: c.now},
		Directory: now.directory,
		Keys:      by.keys,
	}
	if c.resource != "" {
		if need, err = service.ResourceNeed(c.resource, c.accounts...); err != nil {
			return fmt.Errorf("no ProtectedResource %s: nobody is admitted where a guard names it: %w", c.resource, err)
		}
	}
	v := judge(service, raw, need)
	c.tell(v, by, now, need)
	if v.err != nil {
		return errRefused
	}
	return nil
}

func (c *verifyCommand) rules() credential.Rules {
	if len(c.consoleNamespaces) == 0 {
		return credential.Rules{ConsoleNamespaces: []string{c.operatorNamespace}}
	}
	return credential.Rules{ConsoleNamespaces: c.consoleNamespaces}
}

// tell prints the verdict, and each stage up to the one that decided.
func (c *verifyCommand) tell(v verdict, by trusted, now *live, need issuer.Need) {
	status, code := v.status()
	if v.err == nil {
		c.say("%d %s: good here until %s", status, http.StatusText(status), moment(v.access.ExpiresAt, c.now()))
	} else {
		c.say("%d %s: %s", status, http.StatusText(status), code)
	}
	for at, what := range []string{
		fmt.Sprintf("signed by %s (%s), and not expired", by.issuer, by.because),
		fmt.Sprintf("its client %s exists", orNothing(v.claims.ClientID)),
		"the rules allow the client",
		"neither it nor what it stands on has been revoked or replaced",
		"it is good for " + c.place(need),
	} {
		switch {
		case stage(at) < v.failed:
			c.say("  yes  %s", plain(what))
		case stage(at) == v.failed:
			c.say("  NO   %s\n       %s", plain(what), plain(v.why()))
		default:
			c.say("  -    %s", plain(what))
		}
	}
	if v.err != nil {
		c.say("%s", v.advice())
	}
	for _, unseen := range now.unseen {
		c.say("Not taken into account, because you may not see them: %s", unseen)
	}
}

func (*verifyCommand) place(need issuer.Need) string {
	place := "a place that needs " + need.Scopes.String()
	if need.Resource != nil {
		place = fmt.Sprintf("%s at %s, which needs %s", need.Resource.Name, need.Resource.URL, need.Scopes)
	}
	if len(need.Accounts) > 0 {
		place += " and concerns account " + strings.Join(need.Accounts, " and ")
	}
	return place
}
