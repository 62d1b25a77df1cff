// SPDX-License-Identifier: Apache-2.0

// Package sandbox tests the claviger-sandbox binary as a user runs it.
package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/leak"
)

// patience bounds how long a test waits for the binary.
const patience = 2 * time.Minute

// binary is claviger-sandbox, roles is claviger.
var binary, roles string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "claviger-sandbox-test-")
	if err != nil {
		panic(err)
	}
	binary, roles = filepath.Join(dir, "claviger-sandbox"), filepath.Join(dir, "claviger")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "github.com/claviger/claviger/cmd/...")
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// running is a sandbox that runs.
type running struct {
	t       *testing.T
	command *exec.Cmd
	env     map[string]string
}

// start runs the binary until it says that it is ready.
func start(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	r := &running{t: t, env: map[string]string{}}
	r.command = exec.Command(binary, append([]string{"--dir", dir}, args...)...)
	reader, writer := io.Pipe()
	r.command.Stdout, r.command.Stderr = writer, writer
	check(t, r.command.Start())
	t.Cleanup(func() {
		_ = r.command.Process.Kill()
		_ = writer.Close()
		_ = r.command.Wait() // its directory is about to be removed
	})

	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			t.Log(lines.Text())
			if strings.HasPrefix(lines.Text(), "ready") {
				ready <- true
				break
			}
			if strings.HasPrefix(lines.Text(), "Error") {
				ready <- false
			}
		}
		_, _ = io.Copy(io.Discard, reader)
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatal("the sandbox ended before it was ready")
		}
	case <-time.After(patience):
		t.Fatal("the sandbox was not ready in time")
	}
	r.readEnv(dir)
	return r
}

func (r *running) readEnv(dir string) {
	r.t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "env"))
	check(r.t, err)
	for line := range strings.Lines(string(raw)) {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if !found {
			r.t.Fatalf("env has a line that is not KEY=value: %q", line)
		}
		r.env[key] = value
	}
}

// interrupt sends what Ctrl-C sends, and waits for the end.
func (r *running) interrupt() {
	r.t.Helper()
	check(r.t, r.command.Process.Signal(os.Interrupt))
	done := make(chan error, 1)
	go func() { done <- r.command.Wait() }()
	select {
	case err := <-done:
		check(r.t, err)
	case <-time.After(patience):
		r.t.Fatal("the sandbox did not stop")
	}
}

func (r *running) kubectl(stdin string, args ...string) string {
	r.t.Helper()
	command := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+r.env["KUBECONFIG"])
	command.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		r.t.Fatalf("kubectl %s: %v: %s", args[0], err, stderr.String())
	}
	return string(out)
}

// secrets gives every value of every Secret of Claviger's that is one.
func (r *running) secrets() []string {
	r.t.Helper()
	var list struct {
		Items []struct{ Data map[string][]byte }
	}
	check(r.t, json.Unmarshal([]byte(r.kubectl("", "get", "secrets", "-A", "-l", "claviger.dev/secret", "-o", "json")), &list))
	var values []string
	for _, item := range list.Items {
		for _, key := range []string{"client_secret", "pepper", "keys.json"} {
			if value := item.Data[key]; value != nil {
				values = append(values, string(value))
			}
		}
	}
	if len(values) != 3 {
		r.t.Fatalf("%d secrets found: a client secret, the pepper and the keys should be there", len(values))
	}
	return values
}

// expectNoSecretLogged reads the logs of every component and role.
func expectNoSecretLogged(t *testing.T, dir string, secrets []string, token string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	check(t, err)
	if len(logs) < 5 {
		t.Fatalf("only these logs: %q", logs)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		check(t, err)
		for _, secret := range append(secrets, token) {
			if leak.Holds(string(text), secret) {
				t.Errorf("%s holds a secret of %d bytes", filepath.Base(log), len(secret))
			}
		}
	}
}

// takeToken gives a token for the sample credential, or "".
func (r *running) takeToken() string {
	r.t.Helper()
	var secret struct{ Data map[string][]byte }
	check(r.t, json.Unmarshal([]byte(r.kubectl("", "get", "secret", "-n", "acme", "orders", "-o", "json")), &secret))
	response, err := http.PostForm(r.env["CLAVIGER_TOKEN_URL"], url.Values{
		"grant_type": {"client_credentials"}, "client_id": {string(secret.Data["client_id"])}, "client_secret": {string(secret.Data["client_secret"])},
	})
	check(r.t, err)
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	check(r.t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.AccessToken
}

// verify gives the status of /verify for a token at the sample's webhook.
func (r *running) verify(token string) int {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodGet, r.env["CLAVIGER_VERIFY_URL"]+"?scope=Webhook&account=acme", nil)
	check(r.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	check(r.t, err)
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func TestTheSandboxKeepsItsStateOverARestart(t *testing.T) {
	dir := t.TempDir()
	listen, err := loopback.FreeAddress(t.Context())
	check(t, err)
	first := start(t, dir, "--listen", listen)
	for _, key := range []string{"KUBECONFIG", "CLAVIGER_ISSUER", "CLAVIGER_TOKEN_URL", "CLAVIGER_VERIFY_URL", "CLAVIGER_NAMESPACE"} {
		if first.env[key] == "" {
			t.Errorf("env lacks %s", key)
		}
	}
	samples, err := config.SampleFiles()
	check(t, err)
	first.kubectl(samples, "apply", "-f", "-")
	first.kubectl("", "wait", "-n", "acme", "clientcredential/orders", "--for=condition=Ready", "--timeout=30s")
	uid := first.kubectl("", "get", "secret", "-n", "acme", "orders", "-o", "jsonpath={.metadata.uid}{.data.client_secret}")
	token := first.takeToken()
	if token == "" || first.verify(token) != http.StatusOK {
		t.Fatal("no token that works")
	}

	t.Run("a second start on the same directory says so and ends", func(t *testing.T) {
		out, err := exec.Command(binary, "--dir", dir, "--listen", "127.0.0.1:0").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "already running on "+dir) {
			t.Errorf("it said: %s (%v)", out, err)
		}
		if first.verify(token) != http.StatusOK {
			t.Error("the first one does not work any more")
		}
	})
	t.Run("files that give access are for their owner only", func(t *testing.T) {
		for _, name := range []string{"kubeconfig", "env"} {
			info, err := os.Stat(filepath.Join(dir, name))
			check(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode())
			}
		}
	})
	t.Run("no log holds a secret", func(t *testing.T) { expectNoSecretLogged(t, dir, first.secrets(), token) })
	t.Run("nothing listens beyond loopback", func(t *testing.T) { expectLoopbackOnly(t, first.command.Process.Pid) })
	family := descendants(t, first.command.Process.Pid)
	first.interrupt()
	t.Run("Ctrl-C leaves nothing running", func(t *testing.T) { expectGone(t, family) })

	second := start(t, dir, "--listen", listen)
	if again := second.kubectl("", "get", "secret", "-n", "acme", "orders", "-o", "jsonpath={.metadata.uid}{.data.client_secret}"); again != uid {
		t.Error("the Secret is another one")
	}
	if second.verify(token) != http.StatusOK {
		t.Error("a token of the first run does not work in the second: the signing keys are others")
	}
	if second.takeToken() == "" {
		t.Error("the same secret gives no token")
	}
	family = descendants(t, second.command.Process.Pid)
	check(t, second.command.Process.Signal(syscall.SIGKILL))
	_ = second.command.Wait()
	t.Run("kill -9 leaves nothing running", func(t *testing.T) { expectGone(t, family) })
}

func TestAnEphemeralSandboxLeavesNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	r := start(t, dir, "--ephemeral", "--listen", "127.0.0.1:0")
	r.interrupt()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", dir, err)
	}
}

func TestTheSandboxRefuses(t *testing.T) {
	full := t.TempDir()
	check(t, os.WriteFile(filepath.Join(full, "precious"), []byte("x"), 0o600))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer taken.Close()
	for name, row := range map[string]struct {
		args    []string
		message string
	}{
		"a port that is taken":                {[]string{"--listen", taken.Addr().String(), "--dir", t.TempDir()}, "--listen 127.0.0.1:0 takes any free one"},
		"an address beyond loopback":          {[]string{"--listen", "0.0.0.0:8089"}, "loopback only"},
		"binaries that are not there":         {[]string{"--listen", "127.0.0.1:0", "--dir", t.TempDir(), "--assets", t.TempDir()}, "lacks etcd, kube-apiserver, kube-controller-manager, kubectl: run make control-plane"},
		"an ephemeral directory with content": {[]string{"--listen", "127.0.0.1:0", "--dir", full, "--ephemeral"}, "is not empty, and --ephemeral would remove it"},
		"a flag that it does not know":        {[]string{"--no-such-flag"}, "unknown flag"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(binary, row.args...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), row.message) {
				t.Errorf("it said: %s (%v)", out, err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(full, "precious")); err != nil {
		t.Errorf("it removed what was there: %v", err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
