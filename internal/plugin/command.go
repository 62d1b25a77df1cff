// SPDX-License-Identifier: Apache-2.0

// Package plugin is what "kubectl claviger" does, one file a subcommand. It prints no client secret, and a token only where
// that is what was asked for.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/claviger/claviger/internal/version"
)

// program is how people call the plugin; the binary is kubectl-claviger.
const program = "kubectl claviger"

// errRefused says that the answer is no, and has been printed.
var errRefused = errors.New("refused")

// Run runs the plugin with the arguments that stand behind "kubectl claviger", and gives its exit code.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams, now func() time.Time) int {
	s := &session{IOStreams: streams, config: genericclioptions.NewConfigFlags(true), now: now}
	command := newCommand(s) //nolint:contextcheck // completions take the context of the command that cobra runs
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errRefused) {
		_, _ = fmt.Fprintln(streams.ErrOut, "error: "+explain(err))
	}
	return 1
}

func newCommand(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:         "kubectl-claviger",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: program},
		Short:       "Look after OAuth 2.0 machine credentials",
		Long: "Look after OAuth 2.0 machine credentials: see what keeps one from working, rotate it, take a token,\n" +
			"find out why a token is refused, and connect accounts to third-party applications.",
		Version:       version.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	root.SetUsageTemplate(usageTemplate)
	version.AddFlag(root)
	s.config.CacheDir = nil // nothing is cached
	s.config.AddFlags(root.PersistentFlags())
	root.AddCommand(newStatusCommand(s), newRotateCommand(s), newTokenCommand(s), newVerifyCommand(s), newWhoamiCommand(s),
		newRevokeCommand(s), newConnectCommand(s), newConnectionsCommand(s), newOptionsCommand(),
		version.NewCommand())
	completeGlobalFlags(s, root)
	return root
}

// newOptionsCommand lists the flags of kubectl, which all subcommands have, in one place instead of under each of them.
func newOptionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "List the flags that every command has",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(command.OutOrStdout(), "These flags can be passed to any command:\n\n%s",
				command.InheritedFlags().FlagUsages())
			return err //nolint:wrapcheck // there is nothing to add: standard output is gone
		},
	}
}

// usageTemplate is cobra's, with the flags of kubectl left to the command options.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Available commands:{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if (and .HasParent .HasAvailableLocalFlags)}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Use "{{.CommandPath}} [command] --help" for more about a command.{{else}}
{{end}}
Use "` + program + ` options" for a list of the flags that every command has.
`
