// SPDX-License-Identifier: Apache-2.0

// Claviger keeps OAuth 2.0 machine credentials in Kubernetes objects; see the subcommands for its roles.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/claviger/claviger/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := app.NewCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		os.Exit(1)
	}
}
