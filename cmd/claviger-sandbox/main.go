// SPDX-License-Identifier: Apache-2.0

// Claviger-sandbox runs Claviger with a Kubernetes control plane of its own on one machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/claviger/claviger/internal/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := sandbox.NewCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		os.Exit(1)
	}
}
