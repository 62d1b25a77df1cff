// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// fields are what templates may name, with their values.
func (v Values) fields() map[string]string {
	return map[string]string{
		"ClientID":     v.ClientID,
		"ClientSecret": v.ClientSecret.Reveal(),
		"Issuer":       v.Issuer,
		"TokenURL":     v.TokenURL,
		"Scope":        v.Scopes.String(),
		"Account":      v.AccountID,
		"CACert":       v.CACert,
	}
}

// expand gives the text of a template of Go's syntax that has values and conditions on values, and nothing else: no
// function, no loop, no variable, so that it can do nothing but say what it is given. It stops beyond a size, in bytes: a long
// value can be said often.
func expand(text string, fields map[string]string, most int) (string, error) {
	trees, err := parse.Parse("template", text, "", "")
	if err != nil {
		return "", fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "template: "))
	}
	if len(trees) > 1 {
		return "", errUnsupported("define and block")
	}
	out := &bounded{most: most}
	if tree := trees["template"]; tree != nil && tree.Root != nil {
		err = walk(out, tree.Root, fields)
	}
	return out.String(), err
}

// bounded is a text that may not grow beyond a size.
type bounded struct {
	strings.Builder
	most int
}

func (b *bounded) add(text string) error {
	if b.Len()+len(text) > b.most {
		return errors.New("the Secret would be larger than Kubernetes allows, 1 MiB")
	}
	_, _ = b.WriteString(text) // which never fails
	return nil
}

func walk(out *bounded, list *parse.ListNode, fields map[string]string) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := write(out, node, fields); err != nil {
			return err
		}
	}
	return nil
}

func write(out *bounded, node parse.Node, fields map[string]string) error {
	switch node := node.(type) {
	case *parse.TextNode:
		return out.add(string(node.Text))
	case *parse.ActionNode:
		value, err := evaluate(node.Pipe, fields)
		if err != nil {
			return err
		}
		return out.add(value)
	case *parse.IfNode:
		value, err := evaluate(node.Pipe, fields)
		if err != nil {
			return err
		}
		// Both branches are checked, whichever is taken: a mistake shows at once and not when a value changes.
		other := &bounded{most: out.most}
		branches := [2]*parse.ListNode{node.List, node.ElseList}
		if value == "" {
			branches[0], branches[1] = branches[1], branches[0]
		}
		if err := walk(out, branches[0], fields); err != nil {
			return err
		}
		return walk(other, branches[1], fields)
	default:
		return errUnsupported(strings.Fields(strings.Trim(node.String(), "{}- ") + " an empty action")[0])
	}
}

// evaluate gives the value of a pipeline that is one field and nothing else.
func evaluate(pipe *parse.PipeNode, fields map[string]string) (string, error) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return "", errUnsupported(pipe.String())
	}
	field, ok := pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) != 1 {
		return "", errUnsupported(pipe.String())
	}
	value, found := fields[field.Ident[0]]
	if !found {
		return "", fmt.Errorf("there is no %s; there are %s", field, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
	}
	return value, nil
}

// errUnsupported says what a template may not have.
func errUnsupported(what string) error {
	const most = 64
	if len(what) > most {
		what = what[:most] + "..."
	}
	return fmt.Errorf("%q is not supported; a template has text, values such as {{ .ClientID }}, and {{ if .Account }} ... {{ else }} ... {{ end }}",
		what)
}
