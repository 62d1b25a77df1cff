// SPDX-License-Identifier: Apache-2.0

package tour

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// shell runs commands and shows them as a user would type them, with secrets replaced by the names of variables.
type shell struct {
	out     io.Writer
	place   Place
	secrets [][2]string // name, value
}

func newShell(out io.Writer, place Place) *shell { return &shell{out: out, place: place} }

func (s *shell) say(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

// hide keeps a value from being shown: $name stands in its place.
func (s *shell) hide(name, value string) { s.secrets = append(s.secrets, [2]string{name, value}) }

func (s *shell) redact(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret[1], "$"+secret[0])
	}
	return text
}

// kubectl runs and shows a kubectl command, and gives its output.
func (s *shell) kubectl(ctx context.Context, args ...string) (string, error) {
	return s.kubectlWith(ctx, "", args...)
}

// kubectlWith does so with a standard input.
func (s *shell) kubectlWith(ctx context.Context, input string, args ...string) (string, error) {
	s.prompt("kubectl", args)
	out, err := s.run(ctx, input, s.place.Kubectl, args...)
	s.say("%s", s.redact(out))
	return out, err
}

// quietKubectl runs a command whose output holds secrets, and shows nothing.
func (s *shell) quietKubectl(ctx context.Context, args ...string) (string, error) {
	return s.run(ctx, "", s.place.Kubectl, args...)
}

// answer is that of an HTTP call.
type answer struct {
	status int
	text   string
}

func (s *shell) show(a answer) {
	s.say("%s\nHTTP status %d\n", s.redact(strings.TrimSpace(a.text)), a.status)
}

// curl runs and shows a curl command, and gives the answer without showing it: only the caller knows what must be hidden.
func (s *shell) curl(ctx context.Context, args ...string) (answer, error) {
	s.prompt("curl", args)
	const marker = "\nstatus:"
	out, err := s.run(ctx, "", "curl", append([]string{"--disable", "--noproxy", "*", "--silent", "--show-error", "--max-time", "10", "--write-out", marker + "%{http_code}"}, args...)...)
	if err != nil {
		return answer{}, err
	}
	text, status, _ := strings.Cut(out, marker)
	code, err := strconv.Atoi(status)
	if err != nil {
		return answer{}, fmt.Errorf("curl gave no status: %w", err)
	}
	return answer{status: code, text: text}, nil
}

func (s *shell) prompt(name string, args []string) {
	words := []string{name}
	for _, arg := range args {
		quote := "'"
		shown := s.redact(arg)
		if shown != arg {
			quote = `"` // the name of a variable stands in it now
		}
		if strings.ContainsAny(shown, " {}&\"") {
			shown = quote + shown + quote
		}
		words = append(words, shown)
	}
	s.say("$ %s\n", strings.Join(words, " "))
}

// run runs a command. Its error holds what the command said on standard error, redacted.
func (s *shell) run(ctx context.Context, input, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the tour's own commands
	command.Env = append(os.Environ(), s.place.Env...)
	command.Stdin = strings.NewReader(input)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", name, err, s.redact(strings.TrimSpace(complaints.String())))
	}
	return out.String(), nil
}
