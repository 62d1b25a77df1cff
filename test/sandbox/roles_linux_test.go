// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/sandbox/loopback"
)

// TestTheRolesRunAsProcesses runs the claviger binary as a Deployment would: each role is told where the API server is,
// becomes ready, and ends well when it is asked to.
func TestTheRolesRunAsProcesses(t *testing.T) {
	cluster := start(t, t.TempDir(), "--listen", "127.0.0.1:0")
	for _, row := range []struct {
		role string
		// flags with %, which stands for a free address.
		flags []string
		ready string
	}{
		{"token-service", []string{"--tls-secret=", "--listen=%", "--metrics-bind-address=0"}, "/readyz"},
		{"token-service", []string{"--metrics-bind-address=%", "--listen=127.0.0.1:0", "--issuer=https://auth.example.com"}, "/metrics"},
		{"manager", []string{"--health-bind-address=%", "--metrics-bind-address=0"}, "/readyz"},
		{"manager", []string{"--metrics-bind-address=%", "--health-bind-address=0", "--leader-elect=false", "--log-format=text", "--log-level=debug"}, "/metrics"},
	} {
		t.Run(row.role+" "+strings.Join(row.flags, " "), func(t *testing.T) {
			address, err := loopback.FreeAddress(t.Context())
			check(t, err)
			args := []string{row.role, "--kubeconfig", cluster.env["KUBECONFIG"], "--issuer", cluster.env["CLAVIGER_ISSUER"], "--namespace", cluster.env["CLAVIGER_NAMESPACE"]}
			for _, flag := range row.flags {
				args = append(args, strings.Replace(flag, "%", address, 1))
			}
			var log bytes.Buffer
			command := exec.Command(roles, args...)
			command.Env = append(os.Environ(), "KUBECONFIG=")
			command.Stdout, command.Stderr = &log, &log
			check(t, command.Start())
			answered := answers("http://" + address + row.ready)
			check(t, command.Process.Signal(syscall.SIGTERM))
			if err := command.Wait(); err != nil || !answered {
				t.Errorf("answered %s: %v; ended with %v\n%s", row.ready, answered, err, log.String())
			}
		})
	}
}

// answers waits until a URL answers 200.
func answers(url string) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url)
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return true
		}
	}
	return false
}
