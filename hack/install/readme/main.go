// SPDX-License-Identifier: Apache-2.0

// Command readme prints the README of the chart: its values, with what values.yaml says of them.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed head.txt
var head string

func main() {
	if err := run("charts/claviger/values.yaml"); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the values: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	fmt.Print(head, "\n| value | default | meaning |\n|---|---|---|\n")
	return describe(document.Content[0], "")
}

// describe prints a row for every value below a mapping. It fails where nothing is said of one.
func describe(mapping *yaml.Node, prefix string) error {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		path, said := prefix+name.Value, comment(name.HeadComment)
		if value.Kind == yaml.MappingNode && len(value.Content) > 0 && value.Style != yaml.FlowStyle && !strings.HasSuffix(path, ".resources") {
			if err := describe(value, path+"."); err != nil {
				return err
			}
			continue
		}
		if said == "" {
			return fmt.Errorf("nothing is said of %s", path)
		}
		shown := *value
		shown.Style, shown.HeadComment = yaml.FlowStyle, ""
		for _, child := range shown.Content {
			child.Style = yaml.FlowStyle
		}
		text, err := yaml.Marshal(&shown)
		if err != nil {
			return fmt.Errorf("writing the default of %s: %w", path, err)
		}
		fmt.Printf("| `%s` | `%s` | %s |\n", path, strings.TrimSpace(string(text)), said)
	}
	return nil
}

// comment gives the last paragraph of a comment as one line: what is before it speaks of more than this value.
func comment(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	lines := strings.Split(paragraphs[len(paragraphs)-1], "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(line, "#"))
	}
	return strings.ReplaceAll(strings.Join(lines, " "), "|", `\|`)
}
