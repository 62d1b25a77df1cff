// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
)

// fieldManager owns what the plugin writes.
const fieldManager = client.FieldOwner("kubectl-claviger")

// session is one run: where it reads and writes, how it reaches the cluster, and what time it is.
type session struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
	now    func() time.Time
	server serverClock
}

// api gives a client with the rights of whoever runs the plugin.
func (s *session) api() (client.WithWatch, error) {
	access, err := s.config.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	access.WarningHandler = rest.NewWarningWriter(s.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
	access.Wrap(s.server.wrap)
	kinds, err := newScheme()
	if err != nil {
		return nil, err
	}
	api, err := client.NewWithWatch(access, client.Options{Scheme: kinds, FieldOwner: string(fieldManager)})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return api, nil
}

// namespace is that of -n, else that of the kubeconfig's context.
func (s *session) namespace() (string, error) {
	namespace, _, err := s.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("finding the namespace: %w", err)
	}
	return namespace, nil
}

// connect gives the client and the namespace.
func (s *session) connect() (client.WithWatch, string, error) {
	namespace, err := s.namespace()
	if err != nil {
		return nil, "", err
	}
	api, err := s.api()
	return api, namespace, err
}

func newScheme() (*runtime.Scheme, error) {
	kinds := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(kinds), v1alpha1.AddToScheme(kinds)); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	return kinds, nil
}

// say prints a line to standard output. Where that is gone, nobody is left to tell.
func (s *session) say(format string, args ...any) { _, _ = fmt.Fprintf(s.Out, format+"\n", args...) }

// note prints a line beside the output, so that it does not get into a pipe.
func (s *session) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.ErrOut, format+"\n", args...)
}
