// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/claviger/claviger/internal/app"
)

// Options are the options of the sandbox.
type Options struct {
	// Dir holds state, logs, kubeconfig and env. Empty, in an ephemeral sandbox: a temporary directory.
	Dir string
	// Listen is the address of the token service, on loopback. Port 0: any free one, also for what listens on the ports after it.
	Listen string
	// Ephemeral removes Dir at the end.
	Ephemeral bool
	// Assets is the directory of the control plane's binaries.
	Assets string
}

const defaultDir = ".sandbox"

// Bind defines the flags.
func (o *Options) Bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.Dir, "dir", "", "directory for state, logs, kubeconfig and env (default: "+defaultDir+"; with --ephemeral a temporary one)")
	flags.StringVar(&o.Listen, "listen", app.DefaultListenAddress, "loopback address of the token service; the connect role and the third-party application take the two ports after it; port 0 takes any free ones")
	flags.BoolVar(&o.Ephemeral, "ephemeral", false, "keep nothing: remove the directory at the end, which must be empty or not exist before")
	flags.StringVar(&o.Assets, "assets", defaultAssets(), "directory of etcd, kube-apiserver, kube-controller-manager and kubectl; taken from $KUBEBUILDER_ASSETS")
}

// prepareDir makes the directory, absolute, so that what is written about it holds from anywhere.
func (o *Options) prepareDir() error {
	switch {
	case o.Dir == "" && o.Ephemeral:
		dir, err := os.MkdirTemp("", "claviger-sandbox-")
		if err != nil {
			return fmt.Errorf("making a temporary directory: %w", err)
		}
		o.Dir = dir
		return nil
	case o.Dir == "":
		o.Dir = defaultDir
	case o.Ephemeral:
		if entries, err := os.ReadDir(o.Dir); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s is not empty, and --ephemeral would remove it: name another directory", o.Dir)
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("looking into %s: %w", o.Dir, err)
		}
	}
	absolute, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("finding %s: %w", o.Dir, err)
	}
	o.Dir = absolute
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("making %s: %w", o.Dir, err)
	}
	return nil
}

func defaultAssets() string { return os.Getenv("KUBEBUILDER_ASSETS") }
