// SPDX-License-Identifier: Apache-2.0

package version

import (
	"fmt"

	"github.com/spf13/cobra"
)

// AddFlag gives a program the flag --version.
func AddFlag(root *cobra.Command) {
	root.Version = Version()
	root.SetVersionTemplate(Line(root.Name()) + "\n")
}

// NewCommand says what --version says: people look for either.
func NewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, and of which commit",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(command.OutOrStdout(), Line(command.Root().Name()))
			return err
		},
	}
}
