// SPDX-License-Identifier: Apache-2.0

// Package app is the command line and the wiring of each role: flags, options, their validation, and the parts that they
// make. It decides nothing itself.
package app

import (
	"context"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/claviger/claviger/internal/version"
)

// NewCommand gives the claviger command, with a subcommand for each role.
func NewCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "claviger",
		Short: "OAuth 2.0 machine credentials on Kubernetes",
		Long: "Claviger keeps OAuth 2.0 machine credentials in Kubernetes objects.\n" +
			"Each role is a process of its own, with its own ServiceAccount and rights.",
		SilenceUsage: true,
	}
	version.AddFlag(root)
	root.AddCommand(newManagerCommand(), newTokenServiceCommand(), newConnectCommand(), newGateCommand(), version.NewCommand())
	return root
}

// newRoleCommand gives the command of a role: it completes the options, finds the API server, makes the logger and runs.
func newRoleCommand(use, short string, common *Common, complete func() error, run func(context.Context, *rest.Config) error) *cobra.Command {
	command := &cobra.Command{
		Use:     use,
		Short:   short,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return complete() },
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := common.restConfig()
			if err != nil {
				return err
			}
			logger := common.Logger(os.Stderr)
			UseLogger(logger)
			return run(logr.NewContext(command.Context(), logger), config)
		},
	}
	common.bind(command.Flags())
	return command
}
