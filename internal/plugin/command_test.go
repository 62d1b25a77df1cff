// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// TestHelp: every command explains itself by examples that call it as kubectl does.
func TestHelp(t *testing.T) {
	s, _ := testSession()
	s.config = genericclioptions.NewConfigFlags(true)
	for _, command := range newCommand(s).Commands() {
		if command.Name() == "options" || command.Name() == "version" { // there is nothing to say to them
			continue
		}
		if !strings.Contains(command.Example, "  "+program+" "+command.Name()+" ") {
			t.Errorf("%s has no example of its own", command.Name())
		}
		for example := range strings.SplitSeq(command.Example, "\n") {
			if example != "" && !strings.HasPrefix(example, "  # ") && !strings.HasPrefix(example, "  "+program+" ") {
				t.Errorf("%s: %q is neither a comment nor a call", command.Name(), example)
			}
		}
		help := run(t, "", command.Name(), "--help")
		if help.code != 0 || !strings.Contains(help.out, "Usage:\n  "+program+" "+command.Name()) ||
			!strings.Contains(help.out, `Use "kubectl claviger options"`) || strings.Contains(help.out, "--insecure-skip-tls-verify") {
			t.Errorf("help of %s: %+v", command.Name(), help)
		}
	}
	if options := run(t, "", "options"); !strings.Contains(options.out, "--context") || !strings.Contains(options.out, "-n, --namespace") {
		t.Errorf("got %+v", options)
	}
}

// TestVersion: the command and the flag tell the same, which is that of the module where nothing was stamped.
func TestVersion(t *testing.T) {
	command, flag := run(t, "", "version"), run(t, "", "--version")
	if command.code != 0 || command != flag || !strings.HasPrefix(command.out, "kubectl-claviger ") || !strings.Contains(command.out, ", commit ") {
		t.Errorf("the command %+v, the flag %+v", command, flag)
	}
}

// TestMistakes: what is wrong is said before any cluster is asked, on standard error, and the exit code is 1.
func TestMistakes(t *testing.T) {
	for _, row := range []struct{ name, args, want string }{
		{"an unknown command", "statsu", `unknown command "statsu"`},
		{"an unknown flag", "status --wdie", "unknown flag: --wdie"},
		{"status of one in all namespaces", "status orders -A", "a name goes with neither"},
		{"rotating nothing", "rotate", "say what to rotate"},
		{"rotating names and a selector", "rotate orders -l team=acme", "only one of these"},
		{"a dry run of another kind", "rotate orders --dry-run=maybe", `"maybe" is not`},
		{"a token for nobody", "token", "accepts 1 arg(s)"},
		{"a token in another form", "token orders -o yaml", `"yaml" is neither header nor json`},
		{"claims in another form", "whoami -o yaml", `"yaml" is not json`},
		{"verifying for no place", "verify a.b.c", "at least one of the flags in the group [scope resource] is required"},
		{"verifying for a place named twice", "verify a.b.c --scope MCP --resource acme/tools", "none of the others can be"},
		{"verifying for what is no scope", `verify a.b.c --scope a"b`, "--scope: invalid_scope"},
		{"verifying what is no token", "verify a.b --scope API", "does not have three parts"},
		{"revoking what is no token", "revoke a.b", "does not have three parts"},
		{"revoking all, and a token", "revoke a.b.c --all-tokens-of orders", "goes with neither a token"},
		{"applying to a token", "revoke a.b.c --apply", "goes with --all-tokens-of only"},
		{"a reason where nobody keeps it", "revoke a.b.c --client orders --reason leak", "go without it"},
		{"a token for an account without a name", "token orders --account=", "--account is empty"},
		{"verifying for an account without a name", "verify a.b.c --scope API --account=", "--account is empty"},
		{"a cache where nothing is cached", "status --cache-dir /tmp", "unknown flag: --cache-dir"},
		{"keys where none are fetched", "revoke a.b.c --client orders --jwks-url http://127.0.0.1", "--jwks-url has no effect with --client"},
		{"an operator's namespace for a client", "revoke a.b.c --client orders --operator-namespace x", "--operator-namespace has no effect"},
		{"an issuer where none is asked", "revoke --all-tokens-of orders --apply --issuer http://127.0.0.1", "--issuer has no effect"},
		{"a format of what is not printed", "revoke --all-tokens-of orders -o yaml", "--output has no effect with --all-tokens-of without --apply"},
		{"a dry run of nothing", "revoke --all-tokens-of orders --dry-run", "--dry-run has no effect"},
		{"connecting nothing", "connect", "accepts 1 arg(s)"},
		{"connecting without a cluster", "connect crm --server http://127.0.0.1:1", "Is --context the right one"},
		{"connections of one, and of an account", "connections crm --account acme", "a name goes with neither"},
		{"connections of an account without a name", "connections --account=", "--account is empty"},
		{"two tokens", "whoami a b", "accepts at most 1 arg(s)"},
		{"a kubeconfig that is not there", "status --kubeconfig /nonexistent/kubeconfig", "no such file"},
		{"no cluster", "status --server http://127.0.0.1:1", "Is --context the right one"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := run(t, "", strings.Fields(row.args)...)
			if got.code != 1 || got.out != "" || !strings.HasPrefix(got.err, "error: ") || !strings.Contains(got.err, row.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := run(t, "", "completion", shell); got.code != 0 || !strings.Contains(got.out, "kubectl-claviger") {
			t.Errorf("%s: got %+v", shell, got)
		}
	}
	for _, row := range []struct{ name, args, want string }{
		{"commands", "", "rotate\t"},
		{"the formats of a token", "token -o ", "header\n"},
		{"kinds of dry run", "rotate --dry-run=", "server\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append([]string{cobra.ShellCompRequestCmd}, strings.Split(row.args, " ")...)
			if got := run(t, "", args...); got.code != 0 || !strings.Contains(got.out, row.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Run("names without a cluster", func(t *testing.T) {
		got := run(t, "", cobra.ShellCompRequestCmd, "status", "--server", "http://127.0.0.1:1", "")
		if got.code != 0 || got.out != ":4\n" {
			t.Errorf("got %+v", got)
		}
	})
}
