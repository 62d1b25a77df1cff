// SPDX-License-Identifier: Apache-2.0

package nodejs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
)

const (
	// patience bounds how long a program may take for one answer. It is long because machines are slow, not because programs are.
	patience = 2 * time.Minute
	// longest line that a program may answer with.
	longest = 1 << 20
)

// Program is a module of a Node.js project that runs, and whose exported functions can be called. It lives until its spec
// ends, so one call may go on with what another one began.
type Program struct {
	command *exec.Cmd
	calls   io.WriteCloser
	answers *bufio.Scanner
	ledger  *harness.Ledger
}

// Failure is an exception that a function threw. Its texts name no secret that the ledger knows.
type Failure struct {
	// Name of the class of the exception, and the code that many libraries give beside it.
	Name, Code string
	Message    string
	// Status of the HTTP answer that the exception is about, and the OAuth error in it, where the library tells them.
	Status int
	OAuth  string `json:"error"`
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s (code %q, status %d, OAuth error %q): %s", f.Name, f.Code, f.Status, f.OAuth, f.Message)
}

// call is what a program reads, one a line; answer is what it writes for each.
type call struct {
	Function string `json:"function"`
	Argument any    `json:"argument"`
	// Now is the time that the function shall believe it is, in milliseconds since 1970.
	Now int64 `json:"now"`
}

type answer struct {
	Result  json.RawMessage `json:"result"`
	Failure *Failure        `json:"failure"`
	// Secrets that the function came by, for the ledger.
	Secrets []string `json:"secrets"`
}

// Start starts a module of the project.
func (p Project) Start(ctx context.Context, module string, ledger *harness.Ledger) *Program {
	GinkgoHelper()
	// Not the context of the spec alone: a program that starts in a BeforeEach outlives that.
	command := exec.CommandContext(context.WithoutCancel(ctx), "node", "--disable-warning=ExperimentalWarning", "main.mjs", "./"+module)
	command.Dir = p.dir
	command.Stderr = scrubbed{ledger}
	calls, err := command.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	stdout, err := command.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = calls.Close() // which ends it
		kill := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
		defer kill.Stop()
		Expect(command.Wait()).To(Succeed())
	})
	return &Program{command: command, calls: calls, answers: scanner(stdout), ledger: ledger}
}

// Call calls a function with one argument at a time, and reads what it gives into result, which may be nil. The error is a
// Failure where the function threw. The argument, and nothing else, is the way for a secret to a program: no other process
// sees it there.
func (p *Program) Call(now time.Time, function string, argument, result any) error {
	GinkgoHelper()
	line, err := json.Marshal(call{Function: function, Argument: argument, Now: now.UnixMilli()})
	Expect(err).NotTo(HaveOccurred())
	_, err = p.calls.Write(append(line, '\n'))
	Expect(err).NotTo(HaveOccurred(), "calling %s", function)

	kill := time.AfterFunc(patience, func() { _ = p.command.Process.Kill() })
	came := p.answers.Scan()
	Expect(kill.Stop()).To(BeTrue(), "%s took longer than %s", function, patience)
	Expect(came).To(BeTrue(), "the program ended in %s", function)
	var got answer
	Expect(json.Unmarshal(p.answers.Bytes(), &got)).To(Succeed(), "the answer of %s", function)
	for _, secret := range got.Secrets {
		p.ledger.Add(secret)
	}
	if got.Failure != nil {
		got.Failure.Message = p.ledger.Scrub(got.Failure.Message)
		return got.Failure
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(got.Result, result)
}

// Must is Call for a function that must not throw.
func (p *Program) Must(now time.Time, function string, argument, result any) {
	GinkgoHelper()
	Expect(p.Call(now, function, argument, result)).To(Succeed(), "%s", function)
}

// Fails is Call for a function that must throw.
func (p *Program) Fails(now time.Time, function string, argument any) *Failure {
	GinkgoHelper()
	err := p.Call(now, function, argument, nil)
	var failure *Failure
	Expect(errors.As(err, &failure)).To(BeTrue(), "%s must fail: %v", function, err)
	return failure
}

func scanner(from io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, longest)
	return lines
}

// scrubbed is the test's output without the secrets of a ledger.
type scrubbed struct{ ledger *harness.Ledger }

func (s scrubbed) Write(text []byte) (int, error) {
	_, err := io.WriteString(GinkgoWriter, s.ledger.Scrub(string(text)))
	return len(text), err
}
