// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

const (
	adminUser      = "admin"
	controllerUser = "system:kube-controller-manager"
)

// access holds who may talk to the API server and how it proves itself. All of it is made anew at every start: nothing
// that a client keeps depends on it.
type access struct {
	dir              string
	authority        []byte
	adminToken       string
	controllersToken string
}

func (a access) servingCertificate() string { return filepath.Join(a.dir, "serving.crt") }
func (a access) servingKey() string         { return filepath.Join(a.dir, "serving.key") }
func (a access) serviceAccountKey() string  { return filepath.Join(a.dir, "service-account.key") }
func (a access) tokens() string             { return filepath.Join(a.dir, "tokens.csv") }
func (a access) controllerKubeconfig() string {
	return filepath.Join(a.dir, "kube-controller-manager.kubeconfig")
}

func prepareAccess(dir string) (access, error) {
	a := access{dir: dir}
	// The certificate comes with its own authority behind it, so it serves as the bundle to trust, too.
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return a, fmt.Errorf("making a serving certificate: %w", err)
	}
	serviceAccountKey, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return a, fmt.Errorf("making a key for ServiceAccount tokens: %w", err)
	}
	a.authority, a.adminToken, a.controllersToken = certificate, randomToken(), randomToken()
	tokens := fmt.Sprintf("%s,%s,%s,\"system:masters\"\n%s,%s,%s\n",
		a.adminToken, adminUser, adminUser, a.controllersToken, controllerUser, controllerUser)
	for path, content := range map[string][]byte{
		a.servingCertificate(): certificate,
		a.servingKey():         key,
		a.serviceAccountKey():  serviceAccountKey,
		a.tokens():             []byte(tokens),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return a, fmt.Errorf("preparing access to the control plane: %w", err)
		}
	}
	return a, nil
}

// rotateServiceAccountKey makes a key that signs ServiceAccount tokens from the API server's next start on. Those before still
// verify: the API server signs with the first of the file and verifies with all.
func (a access) rotateServiceAccountKey() error {
	fresh, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return fmt.Errorf("making a key for ServiceAccount tokens: %w", err)
	}
	before, err := os.ReadFile(a.serviceAccountKey())
	if err != nil {
		return fmt.Errorf("reading the keys for ServiceAccount tokens: %w", err)
	}
	if err := os.WriteFile(a.serviceAccountKey(), append(fresh, before...), 0o600); err != nil { //nolint:gosec // G703: the control plane's own directory
		return fmt.Errorf("writing the keys for ServiceAccount tokens: %w", err)
	}
	return nil
}

func randomToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

func (a access) config(server, token string) *rest.Config {
	return &rest.Config{
		Host:            server,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: a.authority},
		QPS:             -1,
	}
}

func (a access) writeControllerKubeconfig(server string) error {
	return WriteKubeconfig(a.controllerKubeconfig(), a.config(server, a.controllersToken), controllerUser)
}

// WriteKubeconfig writes a kubeconfig file, readable by its owner only, that gives the access of a config.
func WriteKubeconfig(path string, config *rest.Config, user string) error {
	const cluster = "claviger"
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters[cluster] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	kubeconfig.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: config.BearerToken, TokenFile: config.BearerTokenFile}
	kubeconfig.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	kubeconfig.CurrentContext = cluster
	if err := clientcmd.WriteToFile(*kubeconfig, path); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}
