// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dryRun is kubectl's flag of that name.
type dryRun struct{ mode string }

const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

func (d *dryRun) bind(command *cobra.Command) {
	command.Flags().StringVar(&d.mode, "dry-run", dryRunNone,
		`Must be "none", "client" or "server". With client nothing is sent; with server the API server checks it and keeps nothing.`)
	command.Flags().Lookup("dry-run").NoOptDefVal = dryRunClient
	_ = command.RegisterFlagCompletionFunc("dry-run",
		cobra.FixedCompletions([]string{dryRunNone, dryRunClient, dryRunServer}, cobra.ShellCompDirectiveNoFileComp))
}

func (d *dryRun) complete() error {
	switch d.mode {
	case dryRunNone, dryRunClient, dryRunServer:
		return nil
	default:
		return fmt.Errorf(`--dry-run: %q is not "none", "client" or "server"`, d.mode)
	}
}

func (d *dryRun) on() bool     { return d.mode != dryRunNone }
func (d *dryRun) client() bool { return d.mode == dryRunClient }

// suffix marks what was not done, as kubectl does.
func (d *dryRun) suffix() string {
	switch d.mode {
	case dryRunClient:
		return " (dry run)"
	case dryRunServer:
		return " (server dry run)"
	default:
		return ""
	}
}

func (d *dryRun) patchOptions() []client.PatchOption {
	if d.mode == dryRunServer {
		return []client.PatchOption{client.DryRunAll}
	}
	return nil
}

func (d *dryRun) createOptions() []client.CreateOption {
	if d.mode == dryRunServer {
		return []client.CreateOption{client.DryRunAll}
	}
	return nil
}
