// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"io"
	"time"
)

// DefaultTimeout bounds how long the kit waits for an object or a token, unless WithTimeout says otherwise. It is long because machines that run
// tests are slow, not because Claviger is.
const DefaultTimeout = time.Minute

type settings struct {
	assets            string
	consoleNamespaces []string
	log               io.Writer
	timeout           time.Duration
}

// Option changes how a kit runs.
type Option func(*settings)

// WithAssets says which folder has the binaries etcd and kube-apiserver. Without it $KUBEBUILDER_ASSETS does, and where that is not
// set it is /usr/local/kubebuilder/bin, as for envtest.
func WithAssets(dir string) Option {
	return func(s *settings) { s.assets = dir }
}

// WithConsoleNamespaces lets namespaces beside claviger-system hold console-level credentials, as --console-namespaces does.
func WithConsoleNamespaces(names ...string) Option {
	return func(s *settings) { s.consoleNamespaces = append(s.consoleNamespaces, names...) }
}

// WithLog has the manager and the token service log to a writer, such as t.Output(). Without it nobody reads what they log.
// controller-runtime has one logger for all of a process: call its log.SetLogger before the first kit starts where you want your own.
func WithLog(log io.Writer) Option {
	return func(s *settings) { s.log = log }
}

// WithTimeout bounds how long the kit waits for an object or a token. Default: DefaultTimeout.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.timeout = timeout }
}
