// SPDX-License-Identifier: Apache-2.0

// Kubectl-claviger is a plugin of kubectl, which finds it on the PATH and runs it as "kubectl claviger".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/claviger/claviger/internal/plugin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	code := plugin.Run(ctx, os.Args[1:], streams, time.Now)
	stop()
	os.Exit(code)
}
