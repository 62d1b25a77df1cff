// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/sandbox/loopback"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

// Addresses in the files of docs/gateways: all that is replaced in them.
const (
	tokenServiceAddress = "127.0.0.1:8089"
	guardedAddress      = "127.0.0.1:9000"
	gatewayAddress      = "127.0.0.1:8000"
)

// paths are where the files of docs/gateways put the places of the matrix.
var paths = map[string]string{
	matrix.AcmeWebhook.Guard:   "/acme/orders",
	matrix.AcmeMCP.Guard:       "/acme/mcp",
	matrix.OtherWebhook.Guard:  "/other/orders",
	matrix.OtherMCP.Guard:      "/other/mcp",
	matrix.SharedWebhook.Guard: "/webhook",
	matrix.SharedMCP.Guard:     "/mcp",
	matrix.API.Guard:           "/api",
	matrix.AcmeTools.Guard:     "/acme/tools",
}

// gateway is a program of the distribution that runs with a file of docs/gateways.
type gateway struct {
	name          string
	configuration string
	// prepare writes what the program needs besides, and gives its command line.
	prepare func(dir, configuration string) []string

	missing bool
	dir     string
	url     string
}

// needed skips a spec where the program is not installed: hack/test.sh names it as left out, and CI installs it.
func (g *gateway) needed() {
	if g.missing {
		Skip(g.name + " is not installed")
	}
}

// start runs the program, not as root, until the suite ends.
func (g *gateway) start(ctx context.Context) {
	GinkgoHelper()
	binary := find(g.name)
	if g.missing = binary == ""; g.missing {
		Expect(os.Getenv("CI")).NotTo(Equal("true"), "%s is missing, and CI leaves nothing out", g.name)
		return
	}
	address, err := loopback.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	g.dir, err = os.MkdirTemp("", "claviger-"+g.name+"-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, g.dir)
	g.url = "http://" + address

	committed, err := os.ReadFile(filepath.Join("..", "..", "docs", "gateways", g.configuration))
	Expect(err).NotTo(HaveOccurred())
	text := string(committed)
	for old, replacement := range map[string]string{tokenServiceAddress: asked.address, guardedAddress: behind.address, gatewayAddress: address} {
		Expect(text).To(ContainSubstring(old))
		text = strings.ReplaceAll(text, old, replacement)
	}
	configuration := filepath.Join(g.dir, g.configuration)
	Expect(os.WriteFile(configuration, []byte(text), 0o644)).To(Succeed())
	g.run(binary, g.prepare(g.dir, configuration))
}

func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	path, _ := exec.LookPath("/usr/sbin/" + program) // where Debian has it, which users have not in PATH
	return path
}

func (g *gateway) run(binary string, arguments []string) {
	GinkgoHelper()
	command := exec.Command(binary, arguments...)
	command.Dir = g.dir
	command.Env = []string{"HOME=" + g.dir, "PATH=" + os.Getenv("PATH")}
	log, err := os.Create(filepath.Join(g.dir, "output.log"))
	Expect(err).NotTo(HaveOccurred())
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	unprivileged(command, g.dir)
	Expect(command.Start()).To(Succeed())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	DeferCleanup(func() {
		_ = command.Process.Signal(os.Interrupt) // fails only where it has ended
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = command.Process.Kill()
		}
	})
	Eventually(func() error {
		select {
		case <-ended:
			return StopTrying(g.name + " has ended")
		default:
		}
		response, err := http.Get(g.url)
		if err == nil {
			response.Body.Close()
		}
		return err
	}).WithTimeout(30*time.Second).Should(Succeed(), func() string { return g.name + " does not answer: " + g.logs() })
}

// logs gives all that the program has written.
func (g *gateway) logs() string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(g.dir, "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		all.Write(text)
	}
	return all.String()
}

// tellLogs lets the ledger see them.
func (g *gateway) tellLogs() {
	if !g.missing {
		_, _ = world.Plane.Ledger.Write([]byte(g.logs()))
	}
}

// ask is how a caller asks: by calling what is guarded.
func (g *gateway) ask(token string, at matrix.Place) harness.Answer {
	GinkgoHelper()
	path, known := paths[at.Guard]
	Expect(known).To(BeTrue(), "no path is guarded by %s", at.Guard)
	request, err := http.NewRequest(http.MethodGet, g.url+path, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(at.Headers()); i += 2 {
		request.Header.Set(at.Headers()[i], at.Headers()[i+1])
	}
	return harness.Do(request)
}
