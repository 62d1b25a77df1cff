// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// Formats of the command token.
const (
	formatToken  = ""
	formatHeader = "header"
	formatJSON   = "json"
)

type tokenCommand struct {
	*session
	issuerFlags
	tokenURL  string
	scopes    []string
	resources []string
	account   string
	format    string
}

func newTokenCommand(s *session) *cobra.Command {
	take := &tokenCommand{session: s}
	command := &cobra.Command{
		Use:   "token NAME",
		Short: "Take a token, and print it",
		Long: "Take a token with the client ID and secret in a credential's Secret, as its workload would, and print it to standard\n" +
			"output. Whoever has the token can use it until it expires: pipe it on rather than onto a screen.",
		Example: `  # A token with all the scopes of the credential
  kubectl claviger token orders -n acme

  # Call a webhook with it
  kubectl claviger token orders -n acme --scope Webhook -o header | curl -H @- https://hooks.acme.example/orders

  # See what it says
  kubectl claviger token orders -n acme | kubectl claviger whoami -

  # Where the token service can be reached only through a forwarded port
  kubectl claviger token orders -n acme --issuer http://127.0.0.1:8089`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(s, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if take.account == "" && command.Flags().Changed("account") {
				return errEmptyAccount
			}
			return take.run(command.Context(), args[0])
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&take.scopes, "scope", nil, "Ask for this scope; may be repeated. Default: all scopes of the credential.")
	flags.StringArrayVar(&take.resources, "resource", nil, "Ask for a token for the resource of this URL (RFC 8707); may be repeated. Default: spec.resources of the credential.")
	flags.StringVar(&take.account, "account", "", "Restrict a console-level token to this account: asks for scope "+v1alpha1.ScopeAccountPrefix+"ACCOUNT.")
	flags.StringVar(&take.tokenURL, "token-url", "", "URL of the token endpoint. Default: "+pathToken+" below --issuer, else token_url of the Secret.")
	flags.StringVarP(&take.format, "output", "o", formatToken, `Output format: nothing for the bare token, "header" for an Authorization header, "json" for the whole answer.`)
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{formatHeader, formatJSON}, cobra.ShellCompDirectiveNoFileComp))
	take.bind(command, "Issuer identifier, a URL: where the token service can be reached. Default: what the Secret says.")
	return command
}

func (c *tokenCommand) run(ctx context.Context, name string) error {
	switch c.format {
	case formatToken, formatHeader, formatJSON:
	default:
		return fmt.Errorf("--output: %q is neither %s nor %s", c.format, formatHeader, formatJSON)
	}
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	object := &v1alpha1.ClientCredential{}
	if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		return err
	}
	as, err := readBinding(ctx, api, object)
	if err != nil {
		return err
	}
	where, err := c.endpoint(c.tokenURL, pathToken, as.tokenURL, as.caCert)
	if err != nil {
		return err
	}
	body, err := takeToken(ctx, where, as, url.Values{"scope": {c.scopeParameter()}, "resource": c.resources})
	if err != nil {
		return fmt.Errorf("%w\nSee what keeps the credential from working: %s status %s -n %s", err, program, name, namespace)
	}
	return c.show(body)
}

// scopeParameter is what is asked for, separated by blanks (RFC 6749 section 3.3).
func (c *tokenCommand) scopeParameter() string {
	asked := c.scopes
	if c.account != "" {
		asked = append(asked, v1alpha1.ScopeAccountPrefix+c.account)
	}
	return strings.Join(asked, " ")
}

// takeToken asks the token endpoint for a token (RFC 6749 section 4.4) and gives its answer, which holds one. An empty scope is one
// that is left out (section 3.2).
func takeToken(ctx context.Context, where endpoint, as binding, form url.Values) ([]byte, error) {
	form.Set("grant_type", "client_credentials")
	answer, err := where.postForm(ctx, as, form)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, answer.failure()
	}
	return answer.body, nil
}

func (c *tokenCommand) show(body []byte) error {
	token, err := accessToken(body)
	if err != nil {
		return err
	}
	switch c.format {
	case formatHeader:
		c.say("Authorization: Bearer %s", token)
	case formatJSON:
		c.say("%s", strings.TrimSpace(string(body)))
	default:
		c.say("%s", token)
	}
	return nil
}

// accessToken gives the token of an answer.
func accessToken(body []byte) (string, error) {
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &granted); err != nil || !isBearer(granted.AccessToken) {
		return "", errors.New("the token service answered without a token: is this its URL?")
	}
	return granted.AccessToken, nil
}
