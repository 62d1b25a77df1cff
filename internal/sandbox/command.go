// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// NewCommand gives the claviger-sandbox command.
func NewCommand() *cobra.Command {
	var options Options
	command := &cobra.Command{
		Use:   "claviger-sandbox",
		Short: "Run Claviger with a Kubernetes control plane of its own, on loopback",
		Long: "Runs etcd, kube-apiserver, kube-controller-manager and the roles of Claviger, each with its own\n" +
			"ServiceAccount and rights, until Ctrl-C. What is in the directory survives a restart.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			return serve(command, options)
		},
	}
	options.Bind(command.Flags())
	command.AddCommand(newDemoCommand())
	return command
}

func serve(command *cobra.Command, options Options) error {
	out := command.OutOrStdout()
	s, err := Start(command.Context(), options, func(doing string) { _, _ = fmt.Fprintln(out, doing) })
	if err != nil {
		return err
	}
	defer s.Stop()
	if _, err := io.WriteString(out, s.Table()); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, "ready; Ctrl-C stops it"); err != nil {
		return err
	}
	return s.Wait(command.Context())
}
