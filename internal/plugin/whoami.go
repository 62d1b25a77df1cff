// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger/claviger/api/v1alpha1"
)

type whoamiCommand struct {
	*session
	format string
}

func newWhoamiCommand(s *session) *cobra.Command {
	whoami := &whoamiCommand{session: s}
	command := &cobra.Command{
		Use:   "whoami [TOKEN | -]",
		Short: "Explain what a token says",
		Long: "Explain what a token says: whose it is, what it may do, how long it lives. It is read on this machine and verified\n" +
			"nowhere, so what it says may be made up; verify asks whether it is good.\n\n" +
			"A token that is an argument stays in the history of the shell: pipe it in.",
		Example: `  # A token that was just taken
  kubectl claviger token orders -n acme | kubectl claviger whoami -

  # One in a file, as JSON
  kubectl claviger whoami - -o json < token`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(_ *cobra.Command, args []string) error { return whoami.run(args) },
	}
	command.Flags().StringVarP(&whoami.format, "output", "o", "", `Output format: nothing for words, "json" for the claims.`)
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{formatJSON}, cobra.ShellCompDirectiveNoFileComp))
	return command
}

func (c *whoamiCommand) run(args []string) error {
	if c.format != "" && c.format != formatJSON {
		return fmt.Errorf("--output: %q is not %s", c.format, formatJSON)
	}
	token, err := c.readToken(args)
	if err != nil {
		return err
	}
	read, err := readClaims(token)
	if err != nil {
		return err
	}
	if c.format == formatJSON {
		var indented bytes.Buffer
		if err := json.Indent(&indented, read.raw, "", "  "); err != nil {
			return fmt.Errorf("printing: %w", err)
		}
		c.say("%s", indented.String())
		c.note("%s", notVerified)
		return nil
	}
	if err := describe(c.Out, describeClaims(read, c.now())); err != nil {
		return err
	}
	c.say("\n%s", notVerified)
	return nil
}

const notVerified = "Nothing of this was verified: it is what the token says of itself."

func describeClaims(read claims, now time.Time) []line {
	lines := []line{
		{"Client", orNothing(read.ClientID)},
		{"Level", levelOf(read)},
		{"Scopes", orNothing(read.Scope)},
		{"Issuer", orNothing(read.Issuer)},
		{"For", orNothing(strings.Join(read.Audience, ", "))},
	}
	if read.Issued != nil {
		lines = append(lines, line{"Issued", read.Issued.moment(now)})
	}
	switch {
	case read.Expires == nil:
		lines = append(lines, line{"Expires", "never says; no token service of Claviger issues such a one"})
	case read.Expires.beyond() || read.Expires.time().After(now):
		lines = append(lines, line{"Expires", read.Expires.moment(now)})
	default:
		lines = append(lines, line{"Expired", read.Expires.moment(now)})
	}
	return append(lines, line{"Token ID", orNothing(read.ID)}, line{"Signed with", fmt.Sprintf("%s, key %s", orNothing(read.algorithm), orNothing(read.keyID))})
}

// levelOf says at which level a token speaks. A console-level one is restricted to an account by a scope of its own.
func levelOf(read claims) string {
	switch {
	case read.Account == "":
		return "console"
	case hasWord(read.Scope, v1alpha1.ScopeAccountPrefix+read.Account) && hasWord(read.Scope, string(v1alpha1.ScopeAPI)):
		return "console, restricted to account " + read.Account
	default:
		return "account " + read.Account
	}
}

func hasWord(text, word string) bool {
	for found := range strings.SplitSeq(text, " ") {
		if found == word {
			return true
		}
	}
	return false
}
