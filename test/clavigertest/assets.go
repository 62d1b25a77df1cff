// SPDX-License-Identifier: Apache-2.0

package clavigertest

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/claviger/claviger/internal/sandbox/controlplane"
)

const (
	assetsVariable = "KUBEBUILDER_ASSETS"
	// defaultAssets is where envtest looks, too.
	defaultAssets = "/usr/local/kubebuilder/bin"
)

// findAssets says where the binaries of the control plane are.
func (s *settings) findAssets() string {
	return cmp.Or(s.assets, os.Getenv(assetsVariable), defaultAssets)
}

func howToGet(missing *controlplane.MissingError) error {
	return fmt.Errorf(`%s lacks the control plane's %s. Get them with envtest's tool,
	export %s=$(go run sigs.k8s.io/controller-runtime/tools/setup-envtest@latest use -p path)
or build them from source in a clone of Claviger,
	export %s=$(hack/control-plane/build.sh)`,
		missing.Dir, strings.Join(missing.Names, " and "), assetsVariable, assetsVariable)
}
