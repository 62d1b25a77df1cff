// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/sandbox/controlplane"
	"github.com/claviger/claviger/internal/sandbox/thirdparty"
	"github.com/claviger/claviger/internal/server"
)

// readyTimeout bounds how long the roles may take. A lease that a killed sandbox left behind takes 15 s to run out.
const readyTimeout = 90 * time.Second

// Issuer gives the issuer identifier.
func (s *Sandbox) Issuer() string { return "http://" + s.ports.public.Addr().String() }

// ConnectURL gives the URL of the connect role.
func (s *Sandbox) ConnectURL() string { return "http://" + s.ports.connect.Addr().String() }

// ApplicationURL gives the issuer identifier of the third-party application, which all its paths are below.
func (s *Sandbox) ApplicationURL() string { return s.application.Issuer() }

// TokenURL gives the URL of the token endpoint.
func (s *Sandbox) TokenURL() string { return s.Issuer() + server.PathToken }

// VerifyURL gives the URL of the verify endpoint.
func (s *Sandbox) VerifyURL() string { return s.Issuer() + server.PathVerify }

// Kubeconfig gives the path of the kubeconfig that has all rights.
func (s *Sandbox) Kubeconfig() string { return filepath.Join(s.options.Dir, "kubeconfig") }

// Env gives the variables of the environment, as KEY=value.
func (s *Sandbox) Env() []string {
	return []string{
		"KUBECONFIG=" + s.Kubeconfig(),
		"CLAVIGER_ISSUER=" + s.Issuer(),
		"CLAVIGER_TOKEN_URL=" + s.TokenURL(),
		"CLAVIGER_VERIFY_URL=" + s.VerifyURL(),
		"CLAVIGER_CONNECT_URL=" + s.ConnectURL(),
		"CLAVIGER_APPLICATION_URL=" + s.ApplicationURL(),
		"CLAVIGER_NAMESPACE=" + config.Namespace,
	}
}

func (s *Sandbox) writeFiles() error {
	if err := controlplane.WriteKubeconfig(s.Kubeconfig(), s.plane.Admin(), "admin"); err != nil {
		return err
	}
	var env strings.Builder
	for _, variable := range s.Env() {
		key, value, _ := strings.Cut(variable, "=")
		env.WriteString(key + "=" + forShell(value) + "\n")
	}
	if err := os.WriteFile(filepath.Join(s.options.Dir, "env"), []byte(env.String()), 0o600); err != nil {
		return fmt.Errorf("writing env: %w", err)
	}
	return nil
}

// forShell quotes a value that a shell would not read as it stands. Only the path can be one.
func forShell(value string) string {
	const plain = "/-._~:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if strings.Trim(value, plain) == "" {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// Table says where everything is, for people.
func (s *Sandbox) Table() string {
	metrics := "http://" + s.ports.metrics.Addr().String()
	rows := [][2]string{
		{"Kubernetes API", s.plane.Admin().Host},
		{"kubeconfig", s.Kubeconfig()},
		{"environment", filepath.Join(s.options.Dir, "env")},
		{"issuer", s.Issuer()},
		{"token endpoint", s.TokenURL()},
		{"verify endpoint", s.VerifyURL()},
		{"keys (JWKS)", s.Issuer() + server.PathJWKS},
		{"connect role", s.ConnectURL()},
		{thirdparty.Name, s.ApplicationURL()},
		{"health", s.Issuer() + server.PathReady},
		{"metrics", metrics + server.PathMetrics},
		{"logs", s.plane.Logs()},
	}
	var table strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&table, "  %-16s %s\n", row[0], row[1])
	}
	return table.String()
}

func (s *Sandbox) waitReady(ctx context.Context, role string) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, readyTimeout, true, func(ctx context.Context) (bool, error) {
		select {
		case <-s.stopped:
			return false, s.roles.Wait()
		default:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, role+server.PathReady, http.NoBody)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // not yet listening
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w; the logs are in %s", role, err, s.plane.Logs())
	}
	return nil
}
