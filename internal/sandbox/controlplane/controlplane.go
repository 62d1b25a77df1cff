// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs a real Kubernetes control plane on loopback: etcd, kube-apiserver and
// kube-controller-manager. It is what envtest is not: its state can outlive the process, garbage collection is real, and a
// component can be killed and brought back, which is what failure tests are made of.
package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// Options say where a control plane runs.
type Options struct {
	// Assets is a directory with the binaries etcd, kube-apiserver, kube-controller-manager and kubectl.
	Assets string
	// Lean lets the last two be missing, as they are where envtest keeps the others. Without kube-controller-manager nothing is
	// collected, no namespace ends, and pods need no ServiceAccount.
	Lean bool
	// Dir holds state, credentials and logs. A control plane started on the same directory again has the same objects.
	Dir string
	// AuditedGroup names users whose requests are written to the file Audit, but not what is in them. Empty: nobody's.
	AuditedGroup string
	// Durable makes etcd wait for the disk. Without it, state survives the processes but not the machine.
	Durable bool
}

// ControlPlane is one that runs.
type ControlPlane struct {
	options   Options
	access    access
	etcd      *process
	apiServer *process
	manager   *process
	admin     *rest.Config
}

// binaries are the names of the binaries that Assets must hold.
func (o Options) binaries() []string {
	binaries := []string{"etcd", "kube-apiserver"}
	if !o.Lean {
		binaries = append(binaries, "kube-controller-manager", "kubectl")
	}
	return binaries
}

// MissingError says which binaries are not there.
type MissingError struct {
	// Dir is where they were looked for: nowhere, where it is empty.
	Dir   string
	Names []string
}

func (e *MissingError) Error() string {
	if e.Dir == "" {
		return "no control plane binaries: run make control-plane and set KUBEBUILDER_ASSETS to the folder it prints"
	}
	return fmt.Sprintf("%s lacks %s: run make control-plane", e.Dir, strings.Join(e.Names, ", "))
}

// Start starts etcd and kube-apiserver and waits until they are healthy. kube-controller-manager comes with
// StartControllers, once the kinds whose objects it shall collect are installed: it looks for new kinds only now and then.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	if err := options.checkAssets(); err != nil {
		return nil, err
	}
	c := &ControlPlane{options: options}
	for _, dir := range []string{c.path("etcd"), c.path("pki"), c.path("logs")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("preparing the control plane: %w", err)
		}
	}
	var err error
	if c.access, err = prepareAccess(c.path("pki")); err != nil {
		return nil, err
	}
	if err := c.prepareAudit(); err != nil {
		return nil, err
	}
	if err := c.configure(ctx); err != nil {
		return nil, err
	}
	if err := c.etcd.start(ctx); err != nil {
		return nil, err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (o Options) checkAssets() error {
	if o.Assets == "" {
		return &MissingError{Names: o.binaries()}
	}
	var missing []string
	for _, name := range o.binaries() {
		if !o.has(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return &MissingError{Dir: o.Assets, Names: missing}
	}
	return nil
}

func (o Options) has(name string) bool {
	info, err := os.Stat(filepath.Join(o.Assets, name))
	return err == nil && info.Mode()&0o111 != 0
}

// HasControllers reports whether there is a kube-controller-manager to start.
func (c *ControlPlane) HasControllers() bool { return c.options.has("kube-controller-manager") }

// Admin gives access as a member of system:masters.
func (c *ControlPlane) Admin() *rest.Config { return rest.CopyConfig(c.admin) }

// Kubectl gives the path of a kubectl of the control plane's version.
func (c *ControlPlane) Kubectl() string { return filepath.Join(c.options.Assets, "kubectl") }

// Logs gives the folder of the components' logs.
func (c *ControlPlane) Logs() string { return c.path("logs") }

// StartAPIServer starts kube-apiserver, at first or after KillAPIServer or StopAPIServer, on the same port.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error { return c.apiServer.start(ctx) }

// StopAPIServer asks kube-apiserver to end.
func (c *ControlPlane) StopAPIServer() { c.apiServer.stop() }

// KillAPIServer ends kube-apiserver without warning.
func (c *ControlPlane) KillAPIServer() { c.apiServer.kill() }

// RotateServiceAccountKey gives kube-apiserver another key to sign ServiceAccount tokens with, from its next start on. Tokens that
// there are stay good.
func (c *ControlPlane) RotateServiceAccountKey() error { return c.access.rotateServiceAccountKey() }

// StartControllers starts kube-controller-manager, unless a lean control plane has none.
func (c *ControlPlane) StartControllers(ctx context.Context) error {
	if !c.HasControllers() {
		return nil
	}
	if err := c.access.writeControllerKubeconfig(c.admin.Host); err != nil {
		return err
	}
	return c.manager.start(ctx)
}

// Exited gives a channel that is closed when kube-apiserver has ended.
func (c *ControlPlane) Exited() <-chan struct{} { return c.apiServer.exited }

// Stop stops everything, last started first.
func (c *ControlPlane) Stop() {
	for _, component := range []*process{c.manager, c.apiServer, c.etcd} {
		component.stop()
	}
}

func (c *ControlPlane) path(elements ...string) string {
	return filepath.Join(append([]string{c.options.Dir}, elements...)...)
}

func (c *ControlPlane) process(name string, args []string, healthy func(context.Context) bool) *process {
	return &process{
		name:    name,
		binary:  filepath.Join(c.options.Assets, name),
		args:    args,
		logFile: c.path("logs", name+".log"),
		healthy: healthy,
	}
}

// answersOK asks a URL whether it is healthy.
func answersOK(client *http.Client, url string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false
		}
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
}
