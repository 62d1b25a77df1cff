// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/plugin"
	"github.com/claviger/claviger/internal/sandbox"
)

// command is one line of a page that runs a program of ours: the words behind its name.
type command struct {
	program string
	words   []string
}

var (
	programs = regexp.MustCompile(`^\s*(?:exec\s+|\w+=\S*\s+)*(?:\S*/)?(kubectl claviger|kubectl-claviger|claviger-sandbox|claviger)(?:\s(.*))?$`)
	// apart is what ends a command, and quoted what a shell takes as one word.
	apart  = regexp.MustCompile(`\|\|?|&&?|;|\$\(|\)|<|>`)
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)
)

// commands gives the commands of a block: of sh, or behind the prompts of what a terminal showed.
func commands(b block) []command {
	var found []command
	for line := range strings.SplitSeq(strings.ReplaceAll(b.code, "\\\n", " "), "\n") {
		shown, prompt := strings.CutPrefix(line, "$ ")
		if !prompt && b.language != "sh" && b.language != "bash" {
			continue
		}
		shown, _, _ = strings.Cut(quoted.ReplaceAllString(shown, "_"), " #")
		for _, part := range apart.Split(shown, -1) {
			if match := programs.FindStringSubmatch(part); match != nil {
				found = append(found, command{strings.ReplaceAll(match[1], " ", "-"), strings.Fields(match[2])})
			}
		}
	}
	return found
}

// flags gives the names of the flags among the words of a command, with their dashes.
func flags(words []string) []string {
	var found []string
	for _, word := range words {
		name, _, _ := strings.Cut(word, "=")
		if len(name) > 1 && strings.HasPrefix(name, "-") {
			found = append(found, name)
		}
	}
	return found
}

// TestCommandsOfPagesHaveTheirFlags: every subcommand and every flag that a page has somebody type.
func TestCommandsOfPagesHaveTheirFlags(t *testing.T) {
	known := map[string]map[string][]string{
		"claviger": cobraFlags(app.NewCommand()), "claviger-sandbox": cobraFlags(sandbox.NewCommand()), "kubectl-claviger": pluginFlags(t),
	}
	tried := 0
	for _, page := range documents(t) {
		for _, block := range page.blocks() {
			for _, command := range commands(block) {
				tried++
				subcommand := ""
				if len(command.words) > 0 && !strings.HasPrefix(command.words[0], "-") {
					subcommand = command.words[0]
				}
				has, exists := known[command.program][subcommand]
				if !exists {
					t.Errorf("%s: %s has no subcommand %s", block, command.program, subcommand)
					continue
				}
				for _, flag := range flags(command.words) {
					if !slices.Contains(has, flag) {
						t.Errorf("%s: %s %s has no flag %s", block, command.program, subcommand, flag)
					}
				}
			}
		}
	}
	if tried < 25 {
		t.Errorf("%d commands were found", tried)
	}
}

// cobraFlags gives the flags of a command, under "", and of its subcommands.
func cobraFlags(root *cobra.Command) map[string][]string {
	found := map[string][]string{}
	for _, command := range append(root.Commands(), root) {
		name := command.Name()
		if command == root {
			name = ""
		}
		command.InitDefaultHelpFlag()
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			found[name] = append(found[name], "--"+flag.Name, "-"+flag.Shorthand)
		})
	}
	return found
}

// pluginFlags asks the plugin for its help: its commands are its own.
func pluginFlags(t *testing.T) map[string][]string {
	t.Helper()
	help := func(words ...string) string {
		var out bytes.Buffer
		streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: io.Discard}
		if code := plugin.Run(t.Context(), words, streams, time.Now); code != 0 {
			t.Fatalf("%q ended with %d", words, code)
		}
		return out.String()
	}
	flag := regexp.MustCompile(`(?m)^ +(-\w)?,? *(--[a-z-]+)`)
	read := func(text string) []string {
		names := []string{"-h", "--help"}
		for _, match := range flag.FindAllStringSubmatch(text, -1) {
			names = append(names, match[1], match[2])
		}
		return names
	}
	everywhere := read(help("options"))
	found := map[string][]string{"": read(help("--help")), "__complete": nil}
	for _, match := range regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(help("--help"), -1) {
		found[match[1]] = append(read(help(match[1], "--help")), everywhere...)
	}
	return found
}
