// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/internal/sandbox/tour"
)

func newDemoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Take a guided tour on a sandbox of its own, which ends by itself",
		Long: "Starts an ephemeral sandbox on free ports, walks from YAML to a token that guards a webhook, and from a\n" +
			"sign-in link to a token of a third-party application, and ends.\n" +
			"Every step checks what it shows; any surprise ends the tour with exit status 1.",
		Args: cobra.NoArgs,
		RunE: runDemo,
	}
}

func runDemo(command *cobra.Command, _ []string) error {
	out := command.OutOrStdout()
	options := Options{Listen: net.JoinHostPort(loopback.Address, "0"), Ephemeral: true, Assets: defaultAssets()}
	s, err := Start(command.Context(), options, func(doing string) { _, _ = fmt.Fprintln(out, doing) })
	if err != nil {
		return err
	}
	defer s.Stop()
	return tour.Run(command.Context(), out, tour.Place{
		Kubectl:   s.Kubectl(),
		Env:       s.Env(),
		TokenURL:  s.TokenURL(),
		VerifyURL: s.VerifyURL(),

		ConnectURL:     s.ConnectURL(),
		ApplicationURL: s.ApplicationURL(),
	})
}
